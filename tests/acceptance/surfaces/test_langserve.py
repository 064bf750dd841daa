"""LangServe's `RemoteRunnable`."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langserve import RemoteRunnable

from tests.support.processes import Stack, call


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_LANGSERVE_ROOT": "default"}


@pytest.fixture
def remote(stack: Stack) -> Callable[..., RemoteRunnable[Any, Any]]:
    def remote(path: str = "/langserve/default", **options: Any) -> RemoteRunnable[Any, Any]:
        return RemoteRunnable(f"{stack.url}{path}", **options)

    return remote


def config(conversation: str, **more: str) -> dict[str, Any]:
    return {"configurable": {"conversation_id": conversation, **more}}


def test_a_conversation_with_a_cookie_for_its_user(stack: Stack, remote: Callable[..., Any]) -> None:
    """These are the steps of the notebook of LangServe's example with persistence and users."""
    chat = remote("/", cookies={"user_id": "eugene"})
    first = chat.invoke({"human_input": "my name is eugene. what is your name?"}, config("eugene1"))
    assert isinstance(first, AIMessage)
    assert "eugene" in first.text
    second = chat.invoke({"human_input": "what was my name?"}, {"configurable": {"conversation_id": "eugene1"}})
    other = chat.invoke({"human_input": "what was my name?"}, {"configurable": {"conversation_id": "eugene2"}})
    chunks = list(chat.stream({"human_input": "and streamed?"}, config("eugene1")))
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    listed = call(f"{stack.url}/v1/sessions/eugene1/messages?user_id=eugene").body["data"]
    assert [message["content"] for message in listed][1::2] == [
        first.text,
        second.text,
        "".join(c.text for c in chunks),
    ]
    assert [m["content"] for m in stack.model_requests("what was my name?")[0]["messages"]][-3:-1] == [
        "my name is eugene. what is your name?",
        first.text,
    ]
    assert call(f"{stack.url}/v1/turns/{other.id}").body["session_id"] == "eugene2"


def test_a_session_and_a_user_in_the_config(stack: Stack, remote: Callable[..., Any]) -> None:
    answer = remote().invoke({"input": "hello"}, {"configurable": {"session_id": "s", "user_id": "ada"}})
    turn = call(f"{stack.url}/v1/turns/{answer.id}").body
    assert (turn["session_id"], turn["user_id"]) == ("s", "ada")
    assert answer.usage_metadata["total_tokens"] == turn["usage"]["total_tokens"]


def test_text_and_messages_are_inputs_too(remote: Callable[..., Any]) -> None:
    chat = remote()
    assert "plain" in chat.invoke("plain").text
    assert "a message" in chat.invoke(HumanMessage("a message")).text
    assert "last" in chat.invoke({"messages": [HumanMessage("first"), AIMessage("x"), HumanMessage("last")]}).text


def test_a_batch_has_the_answers_in_order(remote: Callable[..., Any]) -> None:
    answers = remote().batch([{"input": f"number {n}"} for n in range(5)])
    assert [f"number {n}" in answer.text for n, answer in enumerate(answers)] == [True] * 5


def test_the_asynchronous_client(remote: Callable[..., Any]) -> None:
    async def ask() -> tuple[str, str]:
        chat = remote()
        answer = await chat.ainvoke({"input": "hello"})
        return answer.text, "".join([chunk.text async for chunk in chat.astream({"input": "hello"})])

    assert all("hello" in text for text in asyncio.run(ask()))


def test_an_answer_survives_its_worker(stack: Stack, remote: Callable[..., Any]) -> None:
    chunks: Iterator[Any] = remote().stream({"input": "hello [hold lost]"}, config("lost"))
    next(chunks)
    stack.workers[0].kill()
    stack.replace_dead()
    with pytest.raises(httpx.HTTPStatusError, match="The answer begins again"):
        list(chunks)
    stack.open_gate("lost")
    [turn] = call(f"{stack.url}/v1/turns?session_id=lost").body["data"]
    assert stack.wait_until_finished(turn["id"])["status"] == "completed"


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"a": "x", "b": "y"}, 'input: must have one field besides the variables of the assistant; it has "a", "b"'),
        ({"input": 7}, "input.input: must be text, a message, or a list of messages that ends with one"),
        ([], "input: must be text"),
    ],
)
def test_a_wrong_input_is_named(remote: Callable[..., Any], given: Any, detail: str) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        remote().invoke(given)
    assert (caught.value.response.status_code, detail in caught.value.response.json()["detail"]) == (400, True)


def test_other_refusals_have_the_form_of_langserve(stack: Stack, remote: Callable[..., Any]) -> None:
    with pytest.raises(httpx.HTTPStatusError) as unknown:
        remote("/langserve/nobody").invoke("hello")
    assert unknown.value.response.status_code == 404
    with pytest.raises(httpx.HTTPStatusError) as failed:
        remote().invoke("hello [fail 400]")
    body = failed.value.response.json()
    assert failed.value.response.status_code == 500
    assert stack.turn(body["turn_id"])["error"]["message"] == body["detail"]
    body = {"input": "hello", "kwargs": {"temperature": 1}}
    refused = call(f"{stack.url}/langserve/default/invoke", method="POST", body=body)
    assert (refused.status, refused.body["detail"].partition(":")[0]) == (400, "kwargs")


def test_the_schemas_describe_an_assistant(stack: Stack) -> None:
    for path in ("/langserve/default", ""):
        schema = call(f"{stack.url}{path}/input_schema").body
        assert schema["required"] == ["input"]
        assert call(f"{stack.url}{path}/output_schema").body["title"] == "default_output"
        assert "session_id" in str(call(f"{stack.url}{path}/config_schema").body)
