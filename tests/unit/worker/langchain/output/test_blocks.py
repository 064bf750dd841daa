"""Test citations and images in LangChain's messages, in an answer and in the history."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, messages_from_dict
from langchain_core.runnables import RunnableLambda

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.assistant import Assistant
from turns.domain.messages import Message
from turns.domain.run.answer import Answer
from worker.langchain.chain_call import CustomChain
from worker.langchain.custom_chain import CustomChainRun
from worker.langchain.message_codec import decode_messages, encode_message
from worker.langchain.output.blocks import with_blocks
from worker.provider.request_ids import ProviderRequest

IMAGE = {"type": "image", "base64": "AAAA", "mime_type": "image/png"}
CITED = {"type": "text", "text": "Noon.", "annotations": [{"type": "citation", "url": "https://x", "title": "Clock"}]}
CITATION = {"type": "citation", "url": "https://x", "title": "Clock"}
PNG = "data:image/png;base64,AAAA"


def answer_of(message: Any) -> Answer:
    claim = make_claim(assistant=Assistant(name="a", chain="x:y"))
    run = CustomChainRun(lambda: CustomChain(RunnableLambda(lambda _: message)), claim)
    for _ in run.deltas():
        pass
    return run.answer()


def test_images_and_citations_of_a_message_are_kept() -> None:
    answer = answer_of(AIMessage([CITED, IMAGE]))
    assert answer.output == "Noon."
    assert answer.extras == ((5, CITATION), (5, {"type": "image", "url": PNG}))
    stored = json.loads(answer.answer_message)
    [message] = messages_from_dict([stored])
    assert (message.content_blocks, message.text) == ([CITED, IMAGE], "Noon.")
    shown = Message.from_stored(1, answer.answer_message.encode())
    assert shown is not None
    assert shown.content == "Noon.\n[image]"


def test_an_image_needs_no_text() -> None:
    assert answer_of(AIMessage([IMAGE])).extras == ((0, {"type": "image", "url": PNG}),)


@pytest.mark.parametrize("message", ["Noon.", AIMessage("Noon."), AIMessage([{"type": "text", "text": "Noon."}])])
def test_text_alone_is_stored_as_text(message: Any) -> None:
    answer = answer_of(message)
    assert (answer.extras, json.loads(answer.answer_message)["data"]["content"]) == ((), "Noon.")


def test_what_the_thin_client_has_found_belongs_to_the_answer() -> None:
    with ProviderRequest("c", extras=[CITATION]).sending():
        answer = answer_of("Noon.")
    assert answer.extras == ((5, CITATION),)
    assert json.loads(answer.answer_message)["data"]["content"] == [CITED]


def test_the_next_turn_sees_only_the_text_of_such_an_answer() -> None:
    stored = encode_message(with_blocks(AIMessage("Noon."), [(0, CITATION)]), turn_id="turn_1")
    question = json.dumps({"type": "human", "data": {"content": "When?", "type": "human"}})
    [_, answer] = decode_messages([question.encode(), stored.encode()])
    assert answer.content == "Noon."
