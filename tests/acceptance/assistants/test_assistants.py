"""Test assistants from a file: each field, changes of the file, and the version under which a turn was accepted."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage, message_to_dict

from tests.support.processes import Process, Stack, call, turn_request
from tests.support.waiting import wait_until

FILE = """
[assistants.default]
description = "version one"
system = "You answer {who}."
variables.who = { default = "children", max_length = 10, description = "whom" }

[assistants.own]
model = "own-model"
fallback_model = "other-model"
api_key_env = "KEY_OF_MINE"
temperature = 0.5
max_tokens = 7
lane = "batch"
history_messages = 2

[assistants.short]
history_tokens = 60

[assistants.hasty]
first_token_seconds = 0.3
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("assistants") / "assistants.toml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def settings(file: Path) -> dict[str, str]:
    return {"INTURN_ASSISTANTS": str(file), "KEY_OF_MINE": "sk-mine", "OPENAI_API_KEY": "sk-all"}


@pytest.fixture
def rewrite(stack: Stack, file: Path) -> Iterator[Callable[[str, str], None]]:
    """Return a function that changes the file and waits until the endpoint has its description."""

    def description_now() -> Any:
        data = call(f"{stack.url}/v1/assistants").body["data"]
        return {assistant["name"]: assistant["description"] for assistant in data}.get("default")

    def rewrite(text: str, description: str) -> None:
        file.write_text(text)
        wait_until(f"the endpoint knows {description}", lambda: description_now() == description)

    yield rewrite
    rewrite(FILE, "version one")


DISH = {"type": "object", "properties": {"dish": {"type": "string"}}, "required": ["dish"]}
FORM = {"type": "json_schema", "json_schema": {"name": "order", "schema": DISH, "strict": True}}


def submit(stack: Stack, session: str, question: str, assistant: str = "default", **more: Any) -> str:
    answer = call(
        f"{stack.url}/v1/turns",
        method="POST",
        body={"session_id": session, "input": question, "assistant": assistant, **more},
    )
    assert answer.status == 202, answer
    turn_id: str = answer.body["id"]
    return turn_id


def last_request(stack: Stack, question: str) -> dict[str, Any]:
    """Return the model's last request with this question."""
    return stack.model_requests(question)[-1]


def test_the_assistants_are_listed(stack: Stack) -> None:
    data = {assistant["name"]: assistant for assistant in call(f"{stack.url}/v1/assistants").body["data"]}
    assert set(data) == {"default", "own", "short", "hasty"}
    who = {"required": False, "default": "children", "max_length": 10, "description": "whom"}
    assert data["default"]["variables"] == {"who": who}
    assert (data["own"]["model"], data["own"]["lane"]) == ("own-model", "batch")


def test_a_variable_has_a_default_and_a_maximum_length(stack: Stack) -> None:
    stack.wait_until_finished(submit(stack, "v", "one"))
    assert last_request(stack, "one")["messages"][0] == {"role": "system", "content": "You answer children."}
    stack.wait_until_finished(submit(stack, "v", "two", variables={"who": "{input}"}))
    assert last_request(stack, "two")["messages"][0]["content"] == "You answer {input}.", "a value is not a template"
    body = turn_request("v", "three", variables={"who": "x" * 11})
    refused = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert (refused.status, refused.body["detail"]) == (400, "variables.who: must be at most 10 characters")


def test_an_answer_has_the_form_that_its_turn_requires(stack: Stack) -> None:
    question = 'soup, please [say {"dish": "soup"}]'
    turn = stack.wait_until_finished(submit(stack, "form", question, response_format=FORM))
    assert (turn["status"], turn["attempt"], turn["output"]["content"]) == ("completed", 1, '{"dish": "soup"}')
    assert last_request(stack, question)["body"]["response_format"] == FORM
    other = stack.wait_until_finished(submit(stack, "form", "thanks"))
    assert other["status"] == "completed", "the next turn has no form"
    assert "response_format" not in last_request(stack, "thanks")["body"]


def test_an_answer_of_another_form_is_asked_for_again(stack: Stack) -> None:
    question = 'two soups, please [once-say {"dish": 2}] [say {"dish": "soups"}]'
    turn = stack.wait_until_finished(submit(stack, "again", question, response_format=FORM))
    assert (turn["status"], turn["attempt"], turn["output"]["content"]) == ("completed", 2, '{"dish": "soups"}')
    messages = call(f"{stack.url}/v1/sessions/again/messages").body["data"]
    assert [message["content"] for message in messages] == [question, '{"dish": "soups"}']


def test_an_answer_that_never_has_its_form_fails(stack: Stack) -> None:
    failed = stack.wait_until_finished(submit(stack, "never", "soup!", response_format={"type": "json_object"}))
    assert (failed["status"], failed["error"]["code"], failed["output"]) == ("failed", "output_invalid", None)
    assert call(f"{stack.url}/v1/sessions/never/messages").body["data"] == []
    retried = call(f"{stack.url}/v1/turns/{failed['id']}/retry", method="POST").body["id"]
    assert stack.wait_until_finished(retried)["error"]["code"] == "output_invalid", "a retry has the same form"
    assert [len(stack.model_requests("soup!")), failed["attempt"]] == [4, 2]


def test_the_model_is_called_with_the_assistants_parameters(stack: Stack) -> None:
    turn = stack.wait_until_finished(submit(stack, "own", "hello", "own"))
    assert turn["model"] == "own-model"
    request = last_request(stack, "hello")
    assert (request["body"]["model"], request["body"]["temperature"]) == ("own-model", 0.5)
    assert request["body"]["max_completion_tokens"] == 7
    assert request["headers"]["Authorization"] == "Bearer sk-mine"
    assert turn["lane"] == "batch"
    overruled = submit(stack, "own", "now", "own", lane="interactive")
    assert call(f"{stack.url}/v1/turns/{overruled}").body["lane"] == "interactive"


def test_the_fallback_model_is_called_where_that_can_help(stack: Stack) -> None:
    turn = stack.wait_until_finished(submit(stack, "fall", "hello [fail 401 1]", "own"))
    assert (turn["status"], turn["model"]) == ("completed", "other-model")


def test_the_model_sees_its_window_of_the_history(stack: Stack) -> None:
    for n in range(3):
        stack.wait_until_finished(submit(stack, "window", f"turn {n}", "own"))
    assert [m["content"].split(" [")[0][:16] for m in last_request(stack, "turn 2")["messages"]] == [
        "turn 1",
        "answer to turn 1",
        "turn 2",
    ]


def test_a_window_of_tokens_begins_with_a_question(stack: Stack) -> None:
    for n in range(6):
        stack.wait_until_finished(submit(stack, "tokens", f"turn {n}", "short"))
    seen = last_request(stack, "turn 5")["messages"]
    assert 1 < len(seen) < 11
    assert [m["role"] for m in seen] == ["user", "assistant"] * (len(seen) // 2) + ["user"]


def test_a_time_limit_belongs_to_one_assistant(stack: Stack) -> None:
    turn = stack.wait_until_finished(submit(stack, "hasty", "hello [delay 3]", "hasty"))
    assert turn["error"]["code"] == "provider_timeout"
    assert stack.wait_until_finished(submit(stack, "patient", "hello [delay 1]"))["status"] == "completed"


def test_a_turn_runs_with_the_version_it_was_accepted_under(stack: Stack, rewrite: Callable[[str, str], None]) -> None:
    running = submit(stack, "v1", "first [gate v1]")
    waiting = submit(stack, "v1", "second")
    changed = FILE.replace("version one", "version two").replace("You answer", "You flatter")
    rewrite(changed, "version two")
    after = submit(stack, "v1", "third")
    stack.open_gate("v1")
    for turn in (running, waiting, after):
        assert stack.wait_until_finished(turn)["status"] == "completed"
    prompts = {text: last_request(stack, text)["messages"][0]["content"] for text in ("second", "third")}
    assert prompts == {"second": "You answer children.", "third": "You flatter children."}


def test_a_retried_turn_uses_the_current_version_of_the_file(stack: Stack, rewrite: Callable[[str, str], None]) -> None:
    failed = submit(stack, "again", "hello [fail 400 1]")
    assert stack.wait_until_finished(failed)["status"] == "failed"
    rewrite(FILE.replace("version one", "version two").replace("You answer", "You flatter"), "version two")
    again = call(f"{stack.url}/v1/turns/{failed}/retry", method="POST").body
    assert stack.wait_until_finished(again["id"])["status"] == "completed"
    assert last_request(stack, "hello [fail 400 1]")["messages"][0]["content"] == "You flatter children."


def test_a_request_repeated_after_a_change_is_replayed(stack: Stack, rewrite: Callable[[str, str], None]) -> None:
    def repeat() -> tuple[str, str | None]:
        body = {"session_id": "same", "input": "hello"}
        answer = call(f"{stack.url}/v1/turns", method="POST", body=body, headers={"Idempotency-Key": "k"})
        return answer.body["id"], answer.headers["Idempotency-Replayed"]

    turn_id, _ = repeat()
    rewrite(FILE.replace("version one", "version two").replace("children", "adults"), "version two")
    assert repeat() == (turn_id, "true")


def test_an_invalid_file_changes_nothing_and_is_logged_once(
    stack: Stack, file: Path, rewrite: Callable[[str, str], None]
) -> None:
    file.write_text(FILE.replace('lane = "batch"', 'lane = "slow"'))
    wait_until("both have logged it", lambda: stack.logs().count('"assistants.refused"') == 2 or read_file(stack))
    assert stack.wait_until_finished(submit(stack, "wrong", "hello", "own"))["status"] == "completed"
    lines = [line for line in stack.logs().splitlines() if '"assistants.refused"' in line]
    assert len(lines) == 2, "one from the endpoint, one from the worker"
    assert all("assistants.toml: assistants.own.lane: " in line for line in lines)
    rewrite(FILE.replace("version one", "version three"), "version three")


def read_file(stack: Stack) -> bool:
    """Make the endpoint read its file, which it does on request. Return false."""
    assert call(f"{stack.url}/v1/assistants").status == 200
    return False


def test_a_worker_with_another_file_runs_what_was_accepted(stack: Stack, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[assistants.other]\nsystem = "You are another."\n')
    log = tmp_path / "log"
    environment = {**stack.environment, "INTURN_ASSISTANTS": str(other)}
    [mine] = stack.workers
    mine.stop()
    worker = Process("worker", log=log, environment=environment)
    try:
        turn = stack.wait_until_finished(submit(stack, "elsewhere", "hello from afar"))
        assert turn["status"] == "completed"
        assert last_request(stack, "hello from afar")["messages"][0]["content"] == "You answer children."
    finally:
        worker.kill()
        stack.replace_dead()


def test_a_forged_definition_cannot_choose_what_is_sent_where(stack: Stack) -> None:
    """As a program can write it that has access to the store, but not to the worker's file."""
    assert call(f"{stack.url}/operator/pauses/workers", method="PUT", body={}).status == 200
    turn_id = submit(stack, "forged", "hello forger")
    key = f"inturn:definition:{stack.store.raw.hget(f'inturn:turn:{turn_id}', 'definition').decode()}"
    definition = json.loads(stack.store.raw.hget(key, "definition"))
    forged = {**definition, "base_url": stack.environment["OPENAI_BASE_URL"], "api_key_env": "REDIS_URL"}
    stack.store.raw.hset(key, "definition", json.dumps(forged))
    try:
        assert call(f"{stack.url}/operator/pauses/workers", method="DELETE").status == 200
        turn = stack.wait_until_finished(turn_id)
    finally:
        stack.store.raw.hset(key, "definition", json.dumps(definition))
    assert (turn["status"], turn["error"]["code"]) == ("failed", "assistant_not_configured")
    assert stack.model_requests("hello forger") == []


@pytest.mark.parametrize("module", ["web", "worker"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[assistants.a]\n\ntemperature = 9\n", "broken.toml: assistants.a.temperature: must be less than"),
        ("[assistants.a\n", "broken.toml: is not valid TOML: "),
        (None, "broken.toml: cannot be read: "),
    ],
)
def test_an_invalid_file_prevents_the_start(tmp_path: Path, module: str, text: str | None, message: str) -> None:
    file, log = tmp_path / "broken.toml", tmp_path / "log"
    if text is not None:
        file.write_text(text)
    process = Process(module, log=log, environment={"INTURN_ASSISTANTS": str(file), "REDIS_URL": "unix:///nowhere"})
    wait_until("the process has ended", lambda: not process.is_running)
    assert process.stop() == 2
    assert message in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_worker_without_the_key_does_not_start(tmp_path: Path) -> None:
    file, log = tmp_path / "keyless.toml", tmp_path / "log"
    file.write_text('[assistants.a]\napi_key_env = "NO_SUCH_KEY"\n')
    process = Process("worker", log=log, environment={"INTURN_ASSISTANTS": str(file), "REDIS_URL": "unix:///nowhere"})
    wait_until("the process has ended", lambda: not process.is_running)
    assert process.stop() == 2
    assert "keyless.toml: assistants.a.api_key_env: the environment variable NO_SUCH_KEY is not set" in log.read_text()


@pytest.mark.parametrize("assistant", ["default", "short"])
def test_a_session_goes_on_after_messages_no_model_accepts(stack: Stack, assistant: str) -> None:
    """A LangChain program has stopped in a tool loop. The assistant `short` also counts the tokens of the messages."""
    call: Any = {"name": "look", "args": {}, "id": "c1", "type": "tool_call"}
    blocks: list[str | dict[str, Any]] = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "blocks"}]
    stored = [
        HumanMessage("one"),
        ToolMessage("42", tool_call_id="c9"),
        AIMessage(blocks),
        RemoveMessage(id="m1"),
        AIMessage("", tool_calls=[call]),
    ]
    history, session = f"message_store:stopped-{assistant}", f"stopped-{assistant}"
    for message in stored:
        stack.store.raw.lpush(history, json.dumps(message_to_dict(message)))
    turn = stack.wait_until_finished(submit(stack, session, "two", assistant))
    assert turn["status"] == "completed", turn["error"]
    sent = [(message["role"], message["content"]) for message in stack.model_requests()[-1]["messages"]]
    assert [message for message in sent if message[0] != "system"] == [
        ("user", "one"),
        ("assistant", "blocks"),
        ("user", "two"),
    ]
    assert [m["content"] for m in stack.messages(session)] == ["one", "blocks", "two", turn["output"]["content"]]
    assert stack.store.raw.llen(history) == len(stored) + 2
