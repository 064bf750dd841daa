"""The main job, with the conversation of LangChain's example for message histories."""

import pytest

from tests.support.processes import EXAMPLE, EXAMPLE_SYSTEM_MESSAGE, Stack, call, turn_request
from tests.support.scripted_model import digest
from turns.config.settings import MAX_INPUT_BYTES


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Raise both limits; the scripted model repeats its input."""
    return {"INTURN_MAX_INPUT_BYTES": str(MAX_INPUT_BYTES), "INTURN_MAX_ANSWER_BYTES": str(2 * MAX_INPUT_BYTES)}


def test_the_second_answer_has_the_first_in_its_history(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("foobar", "What does cosine mean?", **EXAMPLE))
    assert first["status"] == "completed"
    second = stack.wait_until_finished(stack.submit("foobar", "What's its inverse", **EXAMPLE))
    assert second["status"] == "completed"
    assert second["sequence"] == 2

    questions = ("What does cosine mean?", "What's its inverse")
    prompts = [request["messages"] for question in questions for request in stack.model_requests(question)]
    one = [EXAMPLE_SYSTEM_MESSAGE, {"role": "user", "content": "What does cosine mean?"}]
    two = [
        *one,
        {"role": "assistant", "content": first["output"]["content"]},
        {"role": "user", "content": "What's its inverse"},
    ]
    assert prompts == [one, two]
    assert second["output"]["content"].endswith(digest(two))
    assert second["usage"] == {
        "input_tokens": 7,
        "output_tokens": 6,
        "total_tokens": 13,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
    }

    messages = [(message["role"], message["content"], message["turn_id"]) for message in stack.messages("foobar")]
    assert messages == [
        ("user", "What does cosine mean?", first["id"]),
        ("assistant", first["output"]["content"], first["id"]),
        ("user", "What's its inverse", second["id"]),
        ("assistant", second["output"]["content"], second["id"]),
    ]


def test_a_mebibyte_of_input_is_answered_if_the_limit_permits(stack: Stack) -> None:
    [assistant, _] = call(f"{stack.url}/v1/assistants").body["data"]
    text = "x" * assistant["max_input_bytes"]
    turn = stack.wait_until_finished(stack.submit("large", text))
    assert (turn["status"], turn["input"]) == ("completed", text)
    longer = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("large", f"{text}x"))
    assert (longer.status, longer.body["errors"][0]["field"]) == (400, "input")


def test_submit_returns_the_location_at_once(stack: Stack) -> None:
    body = turn_request("where", "hello", metadata={"ticket": "42"})
    answer = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert answer.status == 202
    assert answer.headers["Location"] == f"/v1/turns/{answer.body['id']}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.body["status"] == "queued"
    assert answer.body["metadata"] == {"ticket": "42"}
    assert call(f"{stack.url}{answer.headers['Location']}").status == 200


def test_a_wait_ends_with_the_turn(stack: Stack) -> None:
    """The answer takes no time, and the wait would end after 30 seconds."""
    turn_id = stack.submit("wait", "hello [delay 0.3]")
    turn = call(f"{stack.url}/v1/turns/{turn_id}?wait=30", seconds=20).body
    assert turn["status"] == "completed"


def test_a_wait_ends_with_its_time(stack: Stack) -> None:
    turn_id = stack.submit("patience", "hello [gate patience]")
    turn = call(f"{stack.url}/v1/turns/{turn_id}?wait=0.2", seconds=10).body
    assert turn["status"] in {"queued", "in_progress"}
    stack.open_gate("patience")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"


def test_a_queued_turn_names_what_it_waits_for(stack: Stack) -> None:
    first = stack.submit("behind", "one [gate behind]")
    second = stack.submit("behind", "two")
    assert stack.turn(second)["queue"] == {"position": 2, "waiting_for": "turn", "turn_id": first, "retry_at": None}
    stack.open_gate("behind")
    assert stack.wait_until_finished(second)["queue"] is None


def test_one_idempotency_key_makes_one_turn(stack: Stack) -> None:
    def submit(text: str) -> tuple[int, str | None, str]:
        answer = call(
            f"{stack.url}/v1/turns", method="POST", body=turn_request("once", text), headers={"Idempotency-Key": "k1"}
        )
        return answer.status, answer.headers["Idempotency-Replayed"], answer.body.get("id", answer.body.get("code"))

    status, replayed, turn_id = submit("hello")
    assert (status, replayed) == (202, None)
    assert submit("hello") == (202, "true", turn_id)
    assert submit("goodbye") == (422, None, "idempotency_key_reused")
    stack.wait_until_finished(turn_id)
    assert len(stack.messages("once")) == 2


def test_cancel_ends_a_running_turn_and_its_session_continues(stack: Stack) -> None:
    running = stack.submit("cancel", "long [words 400] [pace 0.05]")
    following = stack.submit("cancel", "next")
    cancelled = call(f"{stack.url}/v1/turns/{running}/cancel", method="POST")
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert stack.wait_until_finished(following)["status"] == "completed"
    assert [message["turn_id"] for message in stack.messages("cancel")] == [following, following]
    again = call(f"{stack.url}/v1/turns/{running}/cancel", method="POST")
    assert again.body == cancelled.body


def test_users_have_separate_sessions(stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("mine", "I am Alice", user_id="alice"))
    stack.wait_until_finished(stack.submit("mine", "I have no user id"))
    alice = call(f"{stack.url}/v1/sessions/mine/messages?user_id=alice").body["data"]
    assert alice[0]["content"] == "I am Alice"
    assert stack.messages("mine")[0]["content"] == "I have no user id"


def test_a_transient_provider_error_is_retried(stack: Stack) -> None:
    turn = stack.wait_until_finished(stack.submit("flaky", "hello [fail 503 1]"))
    assert (turn["status"], turn["attempt"]) == ("completed", 2)
