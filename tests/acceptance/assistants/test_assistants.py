"""Assistants from a file: each field has its effect, the file may change, a turn keeps the version it came under."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Process, Stack, call, turn_request
from tests.support.waiting import wait_until

FILE = """
[assistants.default]
description = "version one"
system = "You answer {who}."
variables.who = { default = "everybody", max_length = 10, description = "whom" }

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
    """Changes the file, and waits until the endpoint knows it by this description."""

    def described() -> Any:
        data = call(f"{stack.url}/v1/assistants").body["data"]
        return {assistant["name"]: assistant["description"] for assistant in data}.get("default")

    def rewrite(text: str, description: str) -> None:
        file.write_text(text)
        wait_until(f"the endpoint knows {description}", lambda: described() == description)

    yield rewrite
    rewrite(FILE, "version one")


def submit(stack: Stack, session: str, said: str, assistant: str = "default", **more: Any) -> str:
    answer = call(
        f"{stack.url}/v1/turns",
        method="POST",
        body={"session_id": session, "input": said, "assistant": assistant, **more},
    )
    assert answer.status == 202, answer
    turn_id: str = answer.body["id"]
    return turn_id


def asked(stack: Stack, said: str) -> dict[str, Any]:
    """Return the model's last request with this question."""
    return stack.model_requests(said)[-1]


def test_callers_are_told_what_there_is(stack: Stack) -> None:
    data = {assistant["name"]: assistant for assistant in call(f"{stack.url}/v1/assistants").body["data"]}
    assert set(data) == {"default", "own", "short", "hasty"}
    who = {"required": False, "default": "everybody", "max_length": 10, "description": "whom"}
    assert data["default"]["variables"] == {"who": who}
    assert (data["own"]["model"], data["own"]["lane"]) == ("own-model", "batch")


def test_a_variable_has_its_default_and_its_length(stack: Stack) -> None:
    stack.wait_until_finished(submit(stack, "v", "one"))
    assert asked(stack, "one")["messages"][0] == {"role": "system", "content": "You answer everybody."}
    stack.wait_until_finished(submit(stack, "v", "two", variables={"who": "{input}"}))
    assert asked(stack, "two")["messages"][0]["content"] == "You answer {input}.", "a value is no template"
    body = turn_request("v", "three", variables={"who": "x" * 11})
    refused = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert (refused.status, refused.body["detail"]) == (400, "variables.who: must be at most 10 characters")


def test_the_model_is_asked_as_the_assistant_says(stack: Stack) -> None:
    turn = stack.wait_until_finished(submit(stack, "own", "hello", "own"))
    assert turn["model"] == "own-model"
    one = asked(stack, "hello")
    assert (one["body"]["model"], one["body"]["temperature"]) == ("own-model", 0.5)
    assert one["body"]["max_completion_tokens"] == 7
    assert one["headers"]["Authorization"] == "Bearer sk-mine"
    assert stack.store.raw.hget(f"inturn:turn:{turn['id']}", "lane") == b"batch"
    overruled = submit(stack, "own", "now", "own", lane="interactive")
    assert stack.store.raw.hget(f"inturn:turn:{overruled}", "lane") is None


def test_its_fallback_is_asked_where_that_can_help(stack: Stack) -> None:
    turn = stack.wait_until_finished(submit(stack, "fall", "hello [fail 401 1]", "own"))
    assert (turn["status"], turn["model"]) == ("completed", "other-model")


def test_the_model_sees_its_window_of_the_history(stack: Stack) -> None:
    for n in range(3):
        stack.wait_until_finished(submit(stack, "window", f"turn {n}", "own"))
    assert [m["content"].split(" [")[0][:16] for m in asked(stack, "turn 2")["messages"]] == [
        "turn 1",
        "answer to turn 1",
        "turn 2",
    ]


def test_a_window_of_tokens_begins_with_a_question(stack: Stack) -> None:
    for n in range(6):
        stack.wait_until_finished(submit(stack, "tokens", f"turn {n}", "short"))
    seen = asked(stack, "turn 5")["messages"]
    assert 1 < len(seen) < 11
    assert [m["role"] for m in seen] == ["user", "assistant"] * (len(seen) // 2) + ["user"]


def test_its_patience_is_its_own(stack: Stack) -> None:
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
    prompts = {said: asked(stack, said)["messages"][0]["content"] for said in ("second", "third")}
    assert prompts == {"second": "You answer everybody.", "third": "You flatter everybody."}


def test_a_failed_turn_that_is_tried_again_gets_what_the_file_says_now(
    stack: Stack, rewrite: Callable[[str, str], None]
) -> None:
    failed = submit(stack, "again", "hello [fail 400 1]")
    assert stack.wait_until_finished(failed)["status"] == "failed"
    rewrite(FILE.replace("version one", "version two").replace("You answer", "You flatter"), "version two")
    again = call(f"{stack.url}/v1/turns/{failed}/retry", method="POST").body
    assert stack.wait_until_finished(again["id"])["status"] == "completed"
    assert asked(stack, "hello [fail 400 1]")["messages"][0]["content"] == "You flatter everybody."


def test_a_request_repeated_after_a_change_is_still_the_same(stack: Stack, rewrite: Callable[[str, str], None]) -> None:
    def repeat() -> tuple[str, str | None]:
        body = {"session_id": "same", "input": "hello"}
        answer = call(f"{stack.url}/v1/turns", method="POST", body=body, headers={"Idempotency-Key": "k"})
        return answer.body["id"], answer.headers["Idempotency-Replayed"]

    turn_id, _ = repeat()
    rewrite(FILE.replace("version one", "version two").replace("everybody", "nobody"), "version two")
    assert repeat() == (turn_id, "true")


def test_a_file_that_became_wrong_changes_nothing_and_says_so_once(
    stack: Stack, file: Path, rewrite: Callable[[str, str], None]
) -> None:
    file.write_text(FILE.replace('lane = "batch"', 'lane = "slow"'))
    wait_until("both have seen it", lambda: stack.logs().count('"assistants.refused"') == 2 or still_known(stack))
    assert stack.wait_until_finished(submit(stack, "wrong", "hello", "own"))["status"] == "completed"
    lines = [line for line in stack.logs().splitlines() if '"assistants.refused"' in line]
    assert len(lines) == 2, "one from the endpoint, one from the worker"
    assert all("assistants.toml: assistants.own.lane: " in line for line in lines)
    rewrite(FILE.replace("version one", "version three"), "version three")


def still_known(stack: Stack) -> bool:
    """The endpoint looks at its file when it is asked. Never true: something to wait for."""
    assert call(f"{stack.url}/v1/assistants").status == 200
    return False


def test_a_worker_with_another_file_runs_what_was_accepted(stack: Stack, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[assistants.other]\nsystem = "You are somebody else."\n')
    log = tmp_path / "log"
    environment = {**stack.environment, "INTURN_ASSISTANTS": str(other)}
    [mine] = stack.workers
    mine.stop()
    worker = Process("worker", log=log, environment=environment)
    try:
        turn = stack.wait_until_finished(submit(stack, "elsewhere", "hello from afar"))
        assert turn["status"] == "completed"
        assert asked(stack, "hello from afar")["messages"][0]["content"] == "You answer everybody."
    finally:
        worker.kill()
        stack.replace_dead()


@pytest.mark.parametrize("module", ["web", "worker"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[assistants.a]\n\ntemperature = 9\n", "broken.toml: assistants.a.temperature: must be less than"),
        ("[assistants.a\n", "broken.toml: is not valid TOML: "),
        (None, "broken.toml: cannot be read: "),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, module: str, text: str | None, says: str) -> None:
    file, log = tmp_path / "broken.toml", tmp_path / "log"
    if text is not None:
        file.write_text(text)
    process = Process(module, log=log, environment={"INTURN_ASSISTANTS": str(file), "REDIS_URL": "unix:///nowhere"})
    wait_until("it has ended", lambda: not process.is_running)
    assert process.stop() == 2
    assert says in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_worker_without_the_key_does_not_start(tmp_path: Path) -> None:
    file, log = tmp_path / "keyless.toml", tmp_path / "log"
    file.write_text('[assistants.a]\napi_key_env = "NO_SUCH_KEY"\n')
    process = Process("worker", log=log, environment={"INTURN_ASSISTANTS": str(file), "REDIS_URL": "unix:///nowhere"})
    wait_until("it has ended", lambda: not process.is_running)
    assert process.stop() == 2
    assert "keyless.toml: assistants.a.api_key_env: the environment variable NO_SUCH_KEY is not set" in log.read_text()
