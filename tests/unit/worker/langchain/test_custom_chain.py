"""Test which output of a custom chain becomes text, messages and usage, and which fails the turn."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda, RunnablePassthrough

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.assistant import Assistant, HistoryMode
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.run.spending import Usage
from worker.langchain.chain import partial_answer
from worker.langchain.chain_call import CustomChain, build_custom_chain
from worker.langchain.chain_output import ChainOutput, GraphMessages
from worker.langchain.chain_thread import NeverStop
from worker.langchain.custom_chain import MAX_STORED_BYTES, CustomChainRun
from worker.provider.models import OfflineModel

CALL = {"name": "clock", "args": {}, "id": "c1", "type": "tool_call"}
FULL = Assistant(name="a", chain="x:y", history=HistoryMode.FULL)
PAIR = Assistant(name="a", chain="x:y")


def run_of(*outputs: object, assistant: Assistant = PAIR, **fields: Any) -> CustomChainRun:
    """Return a run whose chain yields these outputs; an exception is raised."""

    def outputs_of(values: Iterator[Any]) -> Iterator[Any]:
        for _ in values:
            for output in outputs:
                if isinstance(output, BaseException):
                    raise output
                yield output

    return CustomChainRun(lambda: CustomChain(RunnableGenerator(outputs_of)), make_claim(assistant=assistant, **fields))


def read(run: CustomChainRun) -> list[str]:
    return [text for text in run.deltas() if text]


def contents(messages: Sequence[str]) -> list[tuple[str, Any]]:
    decoded = [json.loads(message) for message in messages]
    return [(message["type"], message["data"]["content"]) for message in decoded]


def test_texts_are_the_answer() -> None:
    run = run_of("Hel", "lo")
    assert read(run) == ["Hel", "lo"]
    answer = run.answer()
    assert (answer.output, answer.model, answer.usage) == ("Hello", "offline", None)
    assert contents([answer.question_message, answer.answer_message]) == [("human", "hello"), ("ai", "Hello")]
    assert answer.between_messages == ()


def test_chunks_of_a_message_are_one_paragraph() -> None:
    run = run_of(
        AIMessageChunk(content="Hel", id="1"), AIMessageChunk(content="lo", id="1"), AIMessageChunk(content="!")
    )
    assert "".join(read(run)) == "Hello!"


def test_each_message_is_a_paragraph() -> None:
    run = run_of(AIMessage("One.", id="1"), AIMessage("Two.", id="2"), AIMessageChunk(content="Three.", id="3"))
    assert "".join(read(run)) == "One.\n\nTwo.\n\nThree."


def test_a_message_without_text_makes_no_paragraph() -> None:
    run = run_of(AIMessage("", tool_calls=[CALL]), ToolMessage("noon", tool_call_id="c1"), AIMessage("It is noon."))
    assert read(run) == ["It is noon."]


def test_a_list_of_messages_is_read_like_single_ones() -> None:
    run = run_of([AIMessage("One.", id="1"), AIMessage("Two.", id="2")])
    assert "".join(read(run)) == "One.\n\nTwo."


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("follows", [False, True])
def test_a_generator_function_of_whole_messages_works(count: int, follows: bool) -> None:
    """LangChain adds up what it yields, which for two messages is a prompt template, and for three an error."""

    def exchange(_: object) -> Iterator[AIMessage | ToolMessage]:
        yield from (*EXCHANGE, AIMessage("Lunch time."))[-count:]

    first: Runnable[Any, Any] = RunnablePassthrough()
    chain = first | RunnableLambda(exchange) if follows else RunnableLambda(exchange)
    run = CustomChainRun(lambda: CustomChain(chain), make_claim(assistant=PAIR))
    assert "".join(read(run)) == "\n\n".join(["Noon.", "Lunch time."][-count:])


@pytest.mark.parametrize("output", [42, None, HumanMessage("x"), [HumanMessage("x")], b"x"], ids=repr)
def test_any_other_output_is_a_type_error(output: object) -> None:
    with pytest.raises(TypeError, match=f"the chain returned a {type(output).__name__}"):
        read(run_of(output))


@pytest.mark.parametrize("outputs", [(), ("",), (ToolMessage("noon", tool_call_id="c1"),)])
def test_an_answer_without_text_is_an_error(outputs: tuple[object, ...]) -> None:
    run = run_of(*outputs)
    assert read(run) == []
    with pytest.raises(ModelError) as caught:
        run.answer()
    assert (caught.value.code, caught.value.kind) == (Code.CHAIN_ERROR, ModelErrorKind.HOPELESS)


@pytest.mark.parametrize(
    ("output", "is_valid"), [('{"a": 1}', True), ({"a": 1}, True), ("1", False), ({"a": "1"}, False)]
)
def test_the_answer_of_a_chain_has_its_form_too(output: object, is_valid: bool) -> None:
    schema = {"properties": {"a": {"type": "integer"}}, "type": "object"}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    run = run_of(output, own_format=json.dumps(form))
    read(run)
    if is_valid:
        assert json.loads(run.answer().output) == {"a": 1}
        return
    with pytest.raises(ModelError) as caught:
        run.answer()
    assert (caught.value.code, caught.value.kind) == (Code.OUTPUT_INVALID, ModelErrorKind.RETRYABLE)


EXCHANGE = (AIMessage("Let me see.", tool_calls=[CALL]), ToolMessage("noon", tool_call_id="c1"), AIMessage("Noon."))


def test_a_full_history_has_the_tool_calls_between() -> None:
    run = run_of(*EXCHANGE, assistant=FULL)
    assert "".join(read(run)) == "Let me see.\n\nNoon."
    answer = run.answer()
    assert contents(answer.between_messages) == [("ai", "Let me see."), ("tool", "noon")]
    assert contents([answer.answer_message]) == [("ai", "Noon.")]
    ids = [json.loads(m)["data"]["id"] for m in (*answer.between_messages, answer.answer_message)]
    assert len(set(ids)) == 3


def test_messages_that_are_too_large_to_store_are_an_error() -> None:
    document = ToolMessage("x" * MAX_STORED_BYTES, tool_call_id="c1")
    run = run_of(EXCHANGE[0], document, EXCHANGE[2], assistant=FULL)
    read(run)
    with pytest.raises(ModelError) as caught:
        run.answer()
    assert (caught.value.code, caught.value.kind) == (Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)


def test_by_default_only_the_text_is_kept() -> None:
    run = run_of(*EXCHANGE)
    read(run)
    answer = run.answer()
    assert answer.between_messages == ()
    assert contents([answer.answer_message]) == [("ai", "Let me see.\n\nNoon.")]


@pytest.mark.parametrize(
    "outputs",
    [
        (EXCHANGE[0], EXCHANGE[2]),
        (EXCHANGE[1], EXCHANGE[2]),
        (EXCHANGE[0], EXCHANGE[1], "It is noon."),
        (EXCHANGE[0], ToolMessage("noon", tool_call_id="another"), EXCHANGE[2]),
    ],
    ids=["no result", "no call", "no last message", "another call's result"],
)
def test_an_exchange_that_a_provider_would_refuse_is_not_kept(outputs: tuple[object, ...]) -> None:
    run = run_of(*outputs, assistant=FULL)
    text = "".join(read(run))
    answer = run.answer()
    assert answer.between_messages == ()
    assert contents([answer.answer_message]) == [("ai", text)]


def test_the_chain_gets_input_history_and_variables() -> None:
    stored = [b'{"type": "human", "data": {"content": "q"}}', b'{"type": "ai", "data": {"content": "a"}}']
    seen: list[Any] = []

    def remember(values: dict[str, Any]) -> str:
        seen.append(values)
        return "yes"

    claim = make_claim(assistant=PAIR, messages=tuple(stored), variables={"mood": "calm"})
    read(CustomChainRun(lambda: CustomChain(RunnableLambda(remember)), claim))
    [values] = seen
    assert [message.content for message in values.pop("history")] == ["q", "a"]
    assert values == {"input": "hello", "mood": "calm"}


def test_exceptions_of_the_chain_are_raised_unchanged() -> None:
    run = run_of("Hel", ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        read(run)


def test_an_error_of_the_provider_is_classified() -> None:
    error = openai.APITimeoutError(httpx2.Request("POST", "http://model.example"))
    with pytest.raises(ModelError) as caught:
        read(run_of("Hel", error))
    assert (caught.value.code, caught.value.kind) == (Code.PROVIDER_TIMEOUT, ModelErrorKind.RETRYABLE)


class ScriptedModel(OfflineModel):
    """A model that streams given chunks."""

    chunks: tuple[AIMessageChunk, ...]

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for chunk in self.chunks:
            if chunk.content == "raise":
                raise ValueError("odd JSON of the provider")
            yield ChatGenerationChunk(message=chunk)


def run_with_model(*chunks: AIMessageChunk, after: Any = None) -> CustomChainRun:
    """Return a run of `input | model | after`, with the model that a factory receives."""

    def factory(model: BaseChatModel) -> Runnable[Any, Any]:
        chain = RunnableLambda(lambda values: values["input"]) | model
        return chain | after if after else chain

    model = ScriptedModel(chunks=chunks)
    return CustomChainRun(lambda: build_custom_chain(factory, model), make_claim(assistant=PAIR))


def chunk(text: str, *, finish: str | None = None, tokens: int = 0) -> AIMessageChunk:
    usage: Any = {"input_tokens": 1, "output_tokens": tokens, "total_tokens": 1 + tokens} if tokens else None
    metadata = {"finish_reason": finish, "model_name": "m-1"} if finish else {}
    return AIMessageChunk(content=text, usage_metadata=usage, response_metadata=metadata)


def test_usage_and_model_are_those_of_the_model() -> None:
    run = run_with_model(chunk("Hel"), chunk("lo", finish="stop", tokens=2), after=StrOutputParser())
    assert "".join(read(run)) == "Hello"
    answer = run.answer()
    assert answer.usage == Usage(input_tokens=1, output_tokens=2, total_tokens=3)
    assert (answer.model, answer.status_reason) == ("m-1", None)


def test_an_answer_at_the_token_limit_says_so() -> None:
    run = run_with_model(chunk("Hel", finish="length"), after=StrOutputParser())
    read(run)
    assert run.answer().status_reason == "length"


@pytest.mark.parametrize(
    ("finish", "code"),
    [(None, Code.INCOMPLETE_ANSWER), ("odd", Code.PROVIDER_PROTOCOL), ("content_filter", Code.CONTENT_FILTERED)],
)
def test_an_incomplete_answer_of_the_model_is_an_error(finish: str | None, code: Code) -> None:
    run = run_with_model(chunk("Hel", finish=finish), after=StrOutputParser())
    read(run)
    with pytest.raises(ModelError) as caught:
        run.answer()
    assert caught.value.code is code


def test_an_incomplete_answer_explains_a_failure_behind_it() -> None:
    def fail(_: Any) -> str:
        raise ValueError("cannot parse half of an answer")

    with pytest.raises(ModelError) as caught:
        read(run_with_model(chunk("Hel"), after=RunnableLambda(fail)))
    assert caught.value.code is Code.INCOMPLETE_ANSWER


def test_a_complete_answer_does_not_explain_a_failure_behind_it() -> None:
    def fail(_: Any) -> str:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        read(run_with_model(chunk("Hello", finish="stop"), after=RunnableLambda(fail)))


def test_an_exception_inside_the_model_is_the_providers() -> None:
    with pytest.raises(ModelError) as caught:
        read(run_with_model(chunk("Hel"), chunk("raise")))
    assert caught.value.code is Code.PROVIDER_PROTOCOL


def test_the_check_is_called_for_each_token_of_the_model() -> None:
    class Stopped(BaseException):
        pass

    class StopNow(NeverStop):
        def check(self) -> None:
            raise Stopped

    with pytest.raises(Stopped):
        list(run_with_model(chunk("Hello", finish="stop")).deltas(StopNow()))


def test_a_graph_that_yields_no_text_answers_with_its_last_message() -> None:
    output = ChainOutput()
    assert output.add("") == output.add(GraphMessages([AIMessage("One."), AIMessage("Two.")])) == ""
    assert output.finish() == "Two."
    assert [message.content for message in output.messages] == ["One.", "Two."]


def test_a_graph_that_has_yielded_text_is_not_repeated() -> None:
    output = ChainOutput()
    output.add(AIMessage("Two."))
    output.add(GraphMessages([AIMessage("Two.")]))
    assert (output.finish(), output.text) == ("", "Two.")


@pytest.mark.parametrize("made", ["text", None, OfflineModel])
def test_a_factory_must_return_a_runnable(made: object) -> None:
    with pytest.raises(TypeError, match="must return a Runnable"):
        build_custom_chain(lambda: made, OfflineModel())


def test_a_factory_without_the_parameter_gets_no_model() -> None:
    chain: Runnable[Any, Any] = RunnableLambda(lambda _: "x")
    assert build_custom_chain(lambda: chain, OfflineModel()).runnable is chain


def test_an_interrupted_run_keeps_its_question_and_text() -> None:
    claim = make_claim(assistant=PAIR)
    answer = partial_answer(claim, "Hel")
    assert contents([answer.question_message, answer.answer_message]) == [("human", "hello"), ("ai", "Hel")]
    assert partial_answer(claim, "").answer_message == ""


def test_messages_of_chunks_are_stored_as_messages() -> None:
    output = ChainOutput()
    for part in (AIMessageChunk(content="Hel", id="1"), AIMessageChunk(content="lo", id="1")):
        output.add(part)
    [message] = output.messages
    assert (type(message), message.content) == (AIMessage, "Hello")
