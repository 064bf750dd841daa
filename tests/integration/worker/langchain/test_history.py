"""Compare the fast history wrapper with LangChain's own: same text, same staged messages, same callbacks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec
from langchain_core.runnables.history import RunnableWithMessageHistory

from worker.langchain.history import FastMessageHistory, StagedHistory
from worker.provider.models import OfflineModel

# The stock wrapper is the reference here; tools/requirements/service.in pins a version that has it.
pytestmark = pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")

STORED = [
    b'{"type": "human", "data": {"content": "What does cosine mean?"}}',
    b'{"type": "ai", "data": {"content": "A ratio."}}',
]
VALUES = {"input": "And its inverse?"}
PROMPT = ChatPromptTemplate.from_messages([("system", "s"), MessagesPlaceholder("history"), ("human", "{input}")])


def stock(prompt: Any, model: Any) -> RunnableWithMessageHistory:
    return RunnableWithMessageHistory(
        prompt | model,
        lambda history: history,
        input_messages_key="input",
        history_messages_key="history",
        history_factory_config=[ConfigurableFieldSpec(id="history", annotation=StagedHistory)],
    )


WRAPPERS: tuple[Callable[..., RunnableWithMessageHistory], ...] = (stock, FastMessageHistory)


def staged(history: StagedHistory) -> list[Any]:
    return [(type(m), m.content, m.response_metadata, getattr(m, "usage_metadata", None)) for m in history.staged]


@pytest.mark.parametrize("call", ["invoke", "stream"])
def test_both_wrappers_return_and_stage_the_same(call: str) -> None:
    seen = []
    for wrap in WRAPPERS:
        history = StagedHistory(STORED)
        result = getattr(wrap(PROMPT, OfflineModel()), call)(VALUES, {"configurable": {"history": history}})
        chunks = list(result) if call == "stream" else [result]
        seen.append(("".join(chunk.content for chunk in chunks), staged(history)))
    assert seen[0] == seen[1]
    assert "cosine" in seen[0][0].lower()


class BrokenModel(OfflineModel):
    """A model that raises in the middle of its answer."""

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content="half of "))
        raise ValueError("a bug")


def test_an_error_is_raised_and_nothing_is_staged() -> None:
    history = StagedHistory(STORED)
    chunks = FastMessageHistory(PROMPT, BrokenModel()).stream(VALUES, {"configurable": {"history": history}})
    assert next(chunks).content == "half of "
    with pytest.raises(ValueError, match="a bug"):
        next(chunks)
    assert history.staged == []


def test_an_answer_that_is_not_read_to_its_end_is_not_staged() -> None:
    history = StagedHistory(STORED)
    chunks = FastMessageHistory(PROMPT, OfflineModel()).stream(VALUES, {"configurable": {"history": history}})
    assert next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # a generator
    assert history.staged == []


def test_a_callback_sees_the_same_runs_with_both_wrappers() -> None:
    class Names(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def on_chain_start(self, *_: Any, **more: Any) -> None:
            self.seen.append(more["name"].replace("FastMessageHistory", "RunnableWithMessageHistory"))

    seen = []
    for wrap in WRAPPERS:
        history, names = StagedHistory(STORED), Names()
        config: Any = {"configurable": {"history": history}, "callbacks": [names]}
        list(wrap(PROMPT, OfflineModel()).stream(VALUES, config))
        seen.append((sorted(names.seen), staged(history)))  # sorted, because some run in threads
    assert seen[0] == seen[1]
    assert len(seen[0][0]) > 1
