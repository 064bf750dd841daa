"""OpenAI's clients for Python and JavaScript: responses and conversations."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.conversations import Conversation, ConversationItemList
from openai.types.responses import Response, ResponseItemList, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from tests.acceptance.javascript.node import run_script
from tests.support.processes import Stack, call
from tools import ROOT

BUNDLE = ROOT / "tests" / "browser" / "vendor" / "openai-6.49.0.js"
PRELUDE = f"""
import OpenAI from {json.dumps(BUNDLE.as_uri())};
const print = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
"""
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{stack.url}/openai/v1", api_key="unused") as client:
        yield client


@pytest.fixture
def read(stack: Stack) -> Callable[..., Any]:
    """Return a function that gets a path of the surface, and checks the answer with a type of the client."""

    def read(kind: type[BaseModel], path: str) -> Any:
        return kind.model_validate_json(httpx.get(f"{stack.url}/openai/v1{path}").raise_for_status().text, strict=True)

    return read


def finished(client: Any, response: Any) -> Any:
    """Poll as OpenAI's guide shows."""
    while response.status in {"queued", "in_progress"}:
        response = client.responses.retrieve(response.id)
    return response


def texts(client: Any, conversation: str) -> list[str]:
    return [part.text for item in client.conversations.items.list(conversation, order="asc") for part in item.content]


def test_responses_of_a_busy_conversation_queue(client: Any, stack: Stack, read: Callable[..., Any]) -> None:
    conversation = client.conversations.create()
    assert read(Conversation, f"/conversations/{conversation.id}").metadata == {}
    assert list(client.conversations.items.list(conversation.id)) == []
    sent = [
        client.responses.create(background=True, conversation=conversation.id, input=f"{text} [gate queue]")
        for text in ("one", "two", "three")
    ]
    assert {response.status for response in sent} <= {"queued", "in_progress"}
    stack.open_gate("queue")
    ended = [finished(client, response) for response in sent]
    assert {response.status for response in ended} == {"completed"}
    expected = [
        text
        for n, name in enumerate(("one", "two", "three"))
        for text in (f"{name} [gate queue]", ended[n].output_text)
    ]
    assert texts(client, conversation.id) == expected
    listed = read(ConversationItemList, f"/conversations/{conversation.id}/items?limit=2&include[]=x")
    assert ([item.role for item in listed.data], listed.has_more) == (["assistant", "user"], True)
    turn = call(f"{stack.url}/v1/turns/{sent[0].id.replace('resp_', 'turn_')}").body
    assert (turn["session_id"], turn["output"]["content"]) == (conversation.id, ended[0].output_text)
    checked = read(Response, f"/responses/{sent[0].id}")
    assert checked.usage.total_tokens == turn["usage"]["total_tokens"]
    items = read(ResponseItemList, f"/responses/{sent[1].id}/input_items")
    assert items.data[0].content[0].text == "two [gate queue]"
    answer = client.conversations.items.retrieve(checked.output[0].id, conversation_id=conversation.id)
    assert answer.content[0].text == checked.output_text


def test_a_stream_has_the_same_events_for_each_reader(client: Any, stack: Stack) -> None:
    stream = client.responses.create(stream=True, input="stream [words 40] [hold early]", model="default")
    live = []
    for event in stream:
        live.append(event)
        if event.type == "response.output_text.delta":
            stack.open_gate("early")
    for event in live:
        EVENT.validate_python(event.to_dict(), strict=True)
    numbers = [event.sequence_number for event in live]
    assert numbers == sorted(set(numbers))
    assert [live[0].type, live[-1].type] == ["response.created", "response.completed"]
    final = live[-1].response
    again = list(client.responses.retrieve(final.id, stream=True))
    assert again[-1].to_dict() == live[-1].to_dict()
    places = {event.type: event.sequence_number for event in again}
    assert all(places[event.type] == event.sequence_number for event in live if not event.type.endswith("delta"))
    for cursor in numbers:
        rest = list(client.responses.retrieve(final.id, stream=True, starting_after=cursor))
        before = "".join(e.delta for e in live if e.type.endswith("text.delta") and e.sequence_number <= cursor)
        after = "".join(e.delta for e in rest if e.type.endswith("text.delta"))
        assert before + after == final.output_text
        assert all(event.sequence_number > cursor for event in rest)


def test_the_helper_for_streams_takes_the_answer(client: Any) -> None:
    with client.responses.stream(model="default", input="helped [words 20]") as stream:
        seen = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert seen == final.output_text
    with client.responses.stream(response_id=final.id) as stream:
        assert stream.get_final_response().output_text == seen


def test_the_asynchronous_client(stack: Stack) -> None:
    async def ask() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=f"{stack.url}/openai/v1", api_key="unused") as client:
            response = await client.responses.create(input="hello")
            async with client.responses.stream(model="default", input="hello") as stream:
                return response.output_text, (await stream.get_final_response()).output_text

    assert all("hello" in text for text in asyncio.run(ask()))


def test_a_response_after_another_one(client: Any, stack: Stack) -> None:
    first = client.responses.create(input="first")
    second = client.responses.create(input="second", previous_response_id=first.id)
    assert second.conversation == first.conversation
    other = client.responses.create(input="other", previous_response_id=first.id)
    assert other.conversation != first.conversation
    assert texts(client, other.conversation.id) == ["first", first.output_text, "other", other.output_text]
    assert texts(client, first.conversation.id)[2:] == ["second", second.output_text]


def test_a_request_with_its_past(client: Any, stack: Stack) -> None:
    given = [
        {"role": "user", "content": "my name is Ada"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Hello Ada"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "what is my name?"}]},
    ]
    response = client.responses.create(input=given)
    assert texts(client, response.conversation.id)[:3] == ["my name is Ada", "Hello Ada", "what is my name?"]


def test_a_response_that_is_not_stored_stands_alone(client: Any, stack: Stack) -> None:
    given = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "my name is Ada"},
        {"role": "assistant", "content": "Hello Ada"},
        {"role": "user", "content": "alone"},
    ]
    response = client.responses.create(input=given, store=False, instructions="Be kind.")
    assert (response.conversation, response.store, response.instructions) == (None, False, "Be kind.\n\nBe brief.")
    [request] = stack.model_requests("alone")
    assert [message["content"] for message in request["messages"]][-4:] == [
        "Be kind.\n\nBe brief.",
        "my name is Ada",
        "Hello Ada",
        "alone",
    ]
    with pytest.raises(openai.ConflictError):
        client.responses.create(input="more", previous_response_id=response.id)


def test_an_assistant_with_its_variables(client: Any, stack: Stack) -> None:
    response = client.responses.create(
        prompt={"id": "example", "variables": {"ability": "history"}}, input="asked [words 3]", metadata={"topic": "x"}
    )
    assert (response.model, response.prompt.variables, response.metadata) == (
        "example",
        {"ability": "history"},
        {"topic": "x"},
    )
    [request] = stack.model_requests("asked [words 3]")
    assert "history" in request["messages"][0]["content"]


def test_an_answer_in_a_form(client: Any) -> None:
    class Sum(BaseModel):
        total: int

    parsed = client.responses.parse(model="default", input='[say {"total": 3}]', text_format=Sum)
    assert parsed.output_parsed == Sum(total=3)
    assert parsed.text.format.type == "json_schema"


def test_cancelled_and_deleted_responses(client: Any, stack: Stack) -> None:
    response = client.responses.create(background=True, input="stopped [gate never]")
    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.cancel(response.id).status == "cancelled"
    events = list(client.responses.retrieve(response.id, stream=True))
    assert events[-1].response.status == "cancelled"
    answered = client.responses.create(input="deleted")
    client.responses.delete(answered.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answered.id)
    assert texts(client, answered.conversation.id) == []


def test_a_failed_response(client: Any, read: Callable[..., Any]) -> None:
    events = list(client.responses.create(input="[fail 400]", stream=True))
    assert events[-1].type == "response.failed"
    assert read(Response, f"/responses/{events[-1].response.id}").error.code == "invalid_prompt"


def test_conversations_with_items_and_metadata(client: Any, read: Callable[..., Any]) -> None:
    items = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    conversation = client.conversations.create(items=items, metadata={"a": "1"})
    assert conversation.metadata == {"a": "1"}
    assert client.conversations.update(conversation.id, metadata={"b": "2"}).metadata == {"b": "2"}
    assert texts(client, conversation.id) == ["hello", "hi"]
    empty = client.conversations.create()
    client.conversations.items.create(empty.id, items=items)
    response = client.responses.create(conversation=empty.id, input="and")
    [*_, answer] = read(ConversationItemList, f"/conversations/{empty.id}/items?order=asc").data
    client.conversations.items.delete(answer.id, conversation_id=empty.id)
    assert texts(client, empty.id) == ["hello", "hi"]
    assert client.conversations.delete(empty.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"temperature": 0.2}, "temperature"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"max_output_tokens": 5}, "max_output_tokens"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"input": [{"role": "user", "content": "x"}, {"role": "developer", "content": "y"}]}, "input.1.role"),
        ({"extra_body": {"colour": "red"}}, "colour"),
    ],
)
def test_what_would_change_the_answer_is_refused(client: Any, given: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(**{"input": "x", **given})
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", param)


def test_parameters_without_effect_pass(client: Any) -> None:
    response = client.responses.create(
        input="passed", temperature=1, tools=[], truncation="auto", user="ada", store=True, parallel_tool_calls=True
    )
    assert response.status == "completed"


def test_repeated_requests_are_one_turn(stack: Stack, client: Any) -> None:
    key = {"Idempotency-Key": "one"}
    first = client.responses.create(input="keyed", extra_headers=key)
    assert client.responses.create(input="keyed", extra_headers=key).id == first.id

    def send(count: int) -> str:
        headers = {"x-stainless-retry-count": str(count)}
        response = client.responses.create(input="again", background=True, extra_headers=headers)
        return str(response.id)

    assert send(0) != send(0) == send(1)


def test_a_conversation_in_javascript(stack: Stack) -> None:
    code = f"""
        const client = new OpenAI({{ baseURL: "{stack.url}/openai/v1", apiKey: "unused" }});
        const conversation = (await client.conversations.create()).id;
        const first = await client.responses.create({{ conversation, input: "one", background: true }});
        const second = await client.responses.create({{ conversation, input: "two" }});
        let text = "", cursor = -1;
        for await (const event of await client.responses.retrieve(first.id, {{ stream: true }})) {{
          if (event.type === "response.output_text.delta") text += event.delta;
          if (event.type === "response.completed") print(text === event.response.output[0].content[0].text);
          cursor = event.sequence_number;
        }}
        for await (const event of await client.responses.retrieve(first.id, {{ stream: true, starting_after: cursor }}))
          print("no event is left");
        const stream = client.responses.stream({{ conversation, input: "three", model: "default" }});
        print((await stream.finalResponse()).output_text.includes("three"));
        const items = [];
        for await (const item of client.conversations.items.list(conversation, {{ order: "asc", limit: 2 }}))
          items.push(item.content[0].text);
        print([items[0], items[2], items[3] === second.output_text, items[4], items.length]);
        const refused = (error) => print([error.status, error.param]);
        await client.responses.create({{ input: "x", temperature: 0.2 }}).catch(refused);
    """
    assert run_script(code, prelude=PRELUDE) == [True, True, ["one", "two", True, "three", 6], [400, "temperature"]]


def test_a_stream_survives_worker_and_web_process(stack: Stack) -> None:
    with OpenAI(base_url=f"{stack.url}/openai/v1", api_key="unused", max_retries=10) as client:
        response = client.responses.create(background=True, input="hello [hold middle]")
        events: list[Any] = []
        for event in client.responses.retrieve(response.id, stream=True):
            events.append(event)
            if event.type == "response.output_text.delta":
                break
        stack.web.kill()
        stack.web = stack.start_web()
        stack.worker_of(response.id.replace("resp_", "turn_")).kill()
        stack.replace_dead()
        stack.open_gate("middle")
        cursor = events[-1].sequence_number
        events += client.responses.retrieve(response.id, stream=True, starting_after=cursor)
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    ended = [event.item for event in events if event.type == "response.output_item.done"]
    assert [item.status for item in ended] == ["incomplete", "completed"]
    [answer] = events[-1].response.output
    assert answer == ended[-1]
    deltas = [event.delta for event in events if event.type.endswith("text.delta") and event.item_id == answer.id]
    assert "".join(deltas) == events[-1].response.output_text
