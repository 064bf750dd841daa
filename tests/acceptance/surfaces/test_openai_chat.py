"""Chat completions of OpenAI's client and LangChain's `ChatOpenAI`, unmodified."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from openai import OpenAI

from tests.support.processes import Stack, call
from tests.support.waiting import wait_until

Create = Callable[..., Any]
Bound = Callable[..., "Answer"]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def client(stack: Stack) -> OpenAI:
    return OpenAI(base_url=f"{stack.url}/openai/v1", api_key="none")


@pytest.fixture
def create(client: OpenAI) -> Create:
    def create(*messages: str | dict[str, Any], **more: Any) -> Any:
        roles = ["user", "assistant"]
        sent: Any = [m if isinstance(m, dict) else {"role": roles[n % 2], "content": m} for n, m in enumerate(messages)]
        return client.chat.completions.create(model="default", messages=sent, **more)

    return create


@dataclass
class Answer:
    """An answer in a session, and what the headers say about it."""

    text: str
    turn: str
    session: str
    forked_from: str | None


@pytest.fixture
def bound(client: OpenAI) -> Bound:
    """Return a function that sends the messages as part of a session."""

    def bound(*messages: str, session: str = "chat", headers: Any = None, streamed: bool = False) -> Answer:
        roles = ["user", "assistant"]
        sent: Any = [{"role": roles[n % 2], "content": text} for n, text in enumerate(messages)]
        named = {"X-InTurn-Session": session, **(headers or {})}
        raw = client.chat.completions.with_raw_response
        if streamed:
            response: Any = raw.create(model="default", messages=sent, stream=True, extra_headers=named)
            text = "".join(chunk.choices[0].delta.content or "" for chunk in response.parse())
        else:
            response = raw.create(model="default", messages=sent, extra_headers=named)
            text = response.parse().choices[0].message.content
        given = response.headers
        return Answer(text, given["x-inturn-turn"], given["x-inturn-session"], given.get("x-inturn-forked-from"))

    return bound


def test_the_given_messages_reach_the_model_as_they_are(stack: Stack, create: Create) -> None:
    sessions = call(f"{stack.url}/v1/sessions").body["data"]
    completion = create({"role": "system", "content": "Be brief."}, {"role": "user", "content": "I am Ada."})
    again = create("I am Ada.", completion.choices[0].message.content, "And my name?", user="ada", metadata={"k": "v"})
    assert (again.choices[0].finish_reason, "And my name?" in again.choices[0].message.content) == ("stop", True)
    [first] = stack.model_requests("I am Ada.")[:1]
    assert [m["content"] for m in first["messages"]] == ["You are a helpful assistant.", "Be brief.", "I am Ada."]
    [second] = stack.model_requests("And my name?")
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    turn = call(f"{stack.url}/v1/turns/turn_{again.id.removeprefix('chatcmpl-')}").body
    assert (turn["user_id"], turn["metadata"], turn["status"]) == ("ada", {"k": "v"}, "completed")
    assert again.usage.total_tokens == turn["usage"]["total_tokens"]
    assert call(f"{stack.url}/v1/sessions").body["data"] == sessions, "they stand alone"


def test_a_stream_has_the_chunks_of_the_protocol(create: Create) -> None:
    chunks = list(create("stream this", stream=True, stream_options={"include_usage": True}))
    first, *deltas, last, usage = chunks
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert "stream this" in "".join(chunk.choices[0].delta.content for chunk in deltas)
    assert (last.choices[0].finish_reason, last.usage) == ("stop", None)
    assert (usage.choices, usage.usage.total_tokens > 0) == ([], True)
    assert {chunk.id for chunk in chunks} == {first.id}


def test_langchain_talks_to_an_assistant(stack: Stack) -> None:
    model = ChatOpenAI(base_url=f"{stack.url}/openai/v1", api_key="none", model="default", temperature=0.5)
    answer = model.invoke([SystemMessage("Be brief."), HumanMessage("hi"), AIMessage("hello"), HumanMessage("invoked")])
    assert "invoked" in answer.text
    assert answer.usage_metadata
    assert "streamed" in "".join(chunk.text for chunk in model.stream("streamed"))


def test_what_cannot_be_honoured_is_refused(stack: Stack, create: Create) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        create("hello", n=2, tools=[{"type": "function", "function": {"name": "f"}}])
    error = caught.value
    assert (error.code, error.param, error.type) == ("unsupported_parameter", "n", "invalid_request_error")
    with pytest.raises(openai.NotFoundError):
        OpenAI(base_url=f"{stack.url}/openai/v1", api_key="none").chat.completions.create(
            model="nobody", messages=[{"role": "user", "content": "hello"}]
        )
    with pytest.raises(openai.BadRequestError) as picture:
        create({"role": "user", "content": [{"type": "text", "text": "see"}, image()]})
    assert picture.value.param == "messages.0.content.1.type"


def test_a_failed_turn_is_an_error_that_is_not_repeated(stack: Stack, create: Create) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        create("never [fail 400]")
    assert (caught.value.status_code, caught.value.code) == (502, "provider_rejected")
    assert len(stack.model_requests("never [fail 400]")) == 1
    with pytest.raises(openai.APIError, match="rejected"):
        list(create("streamed [fail 400]", stream=True))


def test_only_an_answer_that_was_not_streamed_survives_its_worker(stack: Stack, create: Create) -> None:
    with ThreadPoolExecutor(1) as threads:
        whole = threads.submit(create, "whole [hold dying]")
        chunks = create("streamed [hold dying]", stream=True)
        while not next(chunks).choices[0].delta.content:
            pass
        wait_until("the model is asked", lambda: stack.model_requests("whole [hold dying]"))
        stack.workers[0].kill()
        stack.replace_dead()
        with pytest.raises(openai.APIError, match="does not count"):
            list(chunks)
        stack.open_gate("dying")
        assert "whole" in whole.result().choices[0].message.content
    statuses = {turn["input"]: turn["status"] for turn in call(f"{stack.url}/v1/turns").body["data"]}
    assert statuses["streamed [hold dying]"] == "cancelled"  # its answer could no longer be read


def test_a_reader_that_leaves_cancels_the_turn(stack: Stack, create: Create) -> None:
    question = "hello [words 1000] [pace 0.05]"
    with create(question, stream=True) as chunks:
        while not next(chunks).choices[0].delta.content:
            pass
    stack.wait_until_disconnected(question)
    assert stack.wait_until_finished(last_turn(stack)["id"])["status"] == "cancelled"


def test_a_repeated_request_is_one_turn(stack: Stack, create: Create) -> None:
    key = {"Idempotency-Key": "k"}
    assert create("once", extra_headers=key).id == create("once", extra_headers=key).id
    with pytest.raises(openai.UnprocessableEntityError):
        create("twice", extra_headers=key)
    first = create("again")
    assert create("again", extra_headers={"X-Stainless-Retry-Count": "1"}).id == first.id
    assert create("again").id != first.id


def test_a_header_binds_a_completion_to_a_session(stack: Stack, bound: Bound) -> None:
    first = bound("q1")
    second = bound("q1", first.text, "q2")
    assert (second.session, second.forked_from) == ("chat", None)
    again = bound("q1", first.text, "q2")  # as an interface regenerates an answer
    assert (again.session, [m["content"] for m in stack.messages("chat")]) == (
        "chat",
        ["q1", first.text, "q2", again.text],
    )
    edited = bound("other")
    assert (edited.session != "chat", edited.forked_from) == (True, "chat")
    assert bound("other", edited.text, "and then").session == edited.session
    assert len(stack.messages("chat")) == 4
    assert len(stack.messages(edited.session)) == 4


def test_a_past_from_elsewhere_begins_the_session(stack: Stack, bound: Bound) -> None:
    continued = bound("before", "an answer", "now", session="elsewhere", streamed=True)
    assert (continued.session, continued.forked_from) == ("elsewhere", None)
    assert [m["content"] for m in stack.messages("elsewhere")][:3] == ["before", "an answer", "now"]
    again = bound(
        "before", "an answer", "now", session="elsewhere", headers={"X-Stainless-Retry-Count": "1"}, streamed=True
    )
    assert again.turn == continued.turn


def test_a_stopped_answer_stays_in_the_session(stack: Stack, create: Create, bound: Bound) -> None:
    question = "tell me [words 1000] [pace 0.05]"
    with create(question, stream=True, extra_headers={"X-InTurn-Session": "stopped"}) as chunks:
        seen = ""
        while not seen:
            seen = next(chunks).choices[0].delta.content
    stack.wait_until_disconnected(question)
    assert stack.wait_until_finished(last_turn(stack)["id"])["status"] == "incomplete"
    assert bound(question, seen, "go on", session="stopped").forked_from is None


def test_a_task_of_an_interface_stands_alone(stack: Stack, create: Create) -> None:
    create("a title", extra_headers={"X-InTurn-Session": "chat", "X-InTurn-Task": "title_generation"})
    turn = last_turn(stack)
    assert (turn["lane"], turn["session_id"].startswith("chatcmpl-")) == ("batch", True)


def image() -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}}


def last_turn(stack: Stack) -> Any:
    return call(f"{stack.url}/v1/turns?limit=1").body["data"][0]
