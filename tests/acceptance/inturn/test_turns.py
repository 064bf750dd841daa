"""Turns with the blocking client."""

from collections.abc import Callable

import pytest

import inturn
from inturn import Client
from tests.support.processes import Stack, call


def test_the_example_of_the_readme_works(client: Client) -> None:
    turn = client.turns.create("foobar", "What does cosine mean?")
    assert turn.status == "queued"
    assert turn.wait().check().text.startswith("answer to What does cosine mean?")


def test_all_fields_of_a_turn_are_typed(client: Client) -> None:
    turn = client.turns.create(
        "typed",
        "hello",
        user_id="alice",
        metadata={"ticket": "42"},
        lane="batch",
        start_within_seconds=60,
    ).wait()
    assert (turn.user_id, turn.lane, turn.sequence, turn.attempt) == ("alice", "batch", 1, 1)
    assert turn.metadata == {"ticket": "42"}
    assert turn.usage
    assert turn.usage.total_tokens == turn.usage.input_tokens + turn.usage.output_tokens
    assert turn.started_at
    assert turn.finished_at
    assert turn.accepted_at <= turn.started_at <= turn.finished_at
    assert turn.raw["links"]["self"] == f"/v1/turns/{turn.id}"
    assert client.turns.get(turn.id) == turn
    assert repr(turn).startswith(f"<Turn {turn.id} of 'typed': completed 'answer to")


def test_a_queued_turn_has_the_reason_why_it_waits(client: Client, stack: Stack) -> None:
    first = client.turns.create("behind", "one [gate behind]")
    second = client.turns.get(client.turns.create("behind", "two").id)
    assert second.queue
    assert (second.queue.position, second.queue.waiting_for, second.queue.turn_id) == (2, "turn", first.id)
    with pytest.raises(inturn.StillRunning) as error:
        second.wait(0.2)
    assert isinstance(error.value, TimeoutError)
    assert error.value.turn.id == second.id
    stack.open_gate("behind")
    assert second.wait(60).status == "completed"


def test_cancelling_twice_changes_nothing_more(client: Client) -> None:
    turn = client.turns.create("cancelled", "hello [gate never]").cancel()
    assert turn.status == "cancelled"
    assert turn.cancel() == turn
    with pytest.raises(inturn.TurnCancelled):
        turn.check()


def test_the_last_turn_is_regenerated_and_edited(client: Client) -> None:
    first = client.turns.create("edited", "one").wait()
    again = first.regenerate().wait().check()
    assert (again.input, again.regenerates, client.turns.get(first.id).superseded_by) == ("one", first.id, again.id)
    version = client.sessions.get("edited").version
    edited = client.turns.regenerate(again.id, "two", if_version=version, metadata={"a": "b"}).wait().check()
    assert [message.content for message in client.sessions.messages("edited")] == ["two", edited.text]
    with pytest.raises(inturn.SessionChanged):
        client.turns.regenerate(edited.id, if_version=version)
    with pytest.raises(inturn.TurnNotCommitted):
        first.regenerate()


def test_an_earlier_turn_is_regenerated_in_a_fork(client: Client) -> None:
    first = client.turns.create("branched", "one", user_id="alice").wait()
    client.turns.create("branched", "two", user_id="alice").wait()
    edited = first.regenerate("eins").wait().check()
    assert (edited.forked_from, edited.user_id) == ("branched", "alice")
    assert [message.content for message in client.sessions.messages(edited.session_id, user_id="alice")] == [
        "eins",
        edited.text,
    ]
    fork = client.sessions.fork("branched", user_id="alice", through_turn=first.id, new_session_id="branch")
    assert (fork.session_id, fork.forked_from, fork.message_count) == ("branch", "branched", 2)
    with pytest.raises(inturn.TurnNotLast):
        client.turns.regenerate(first.id, fork="never")


def test_the_last_turn_is_deleted(client: Client) -> None:
    first, last = (client.turns.create("shortened", text).wait() for text in ("one", "two"))
    last.delete()
    with pytest.raises(inturn.TurnNotFound):
        client.turns.get(last.id)
    assert [message.turn_id for message in client.sessions.messages("shortened")] == [first.id] * 2


def test_a_failed_turn_has_a_code_and_can_be_retried(client: Client) -> None:
    failed = client.turns.create("again", "hello [fail 400 1]").wait()
    with pytest.raises(inturn.TurnFailed) as error:
        failed.check()
    assert (error.value.code, error.value.turn) == ("provider_rejected", failed)
    retried = failed.retry()
    assert retried.retry_of == failed.id
    assert retried.wait().status == "completed"
    with pytest.raises(inturn.TurnNotFailed):
        retried.retry()


def test_the_same_idempotency_key_returns_the_same_turn(client: Client) -> None:
    one, two = (client.turns.create("key", "hello", idempotency_key="k") for _ in range(2))
    assert one.id == two.id
    with pytest.raises(inturn.IdempotencyKeyReused) as error:
        client.turns.create("key", "goodbye", idempotency_key="k")
    assert error.value.status == 422
    assert error.value.request_id


def test_lists_are_filtered_and_limited(client: Client) -> None:
    created = [client.turns.create("many", f"{n}").id for n in range(5)]
    found = [turn.id for turn in client.turns.list(session_id="many")]
    assert found == created[::-1]
    assert [turn.id for turn in client.turns.list(session_id="many", limit=2)] == found[:2]
    for turn_id in created:
        client.turns.wait(turn_id)
    assert [turn.session_id for turn in client.turns.list(status="completed", session_id="many", limit=1)] == ["many"]


def test_a_batch_returns_a_turn_or_an_error_for_each_turn(client: Client) -> None:
    bodies: list[inturn.TurnBody] = [
        {"session_id": "batch", "input": "one"},
        {"session_id": "batch", "input": ""},
        {"session_id": "batch", "input": "three"},
    ]
    one, two, three = client.turns.batch(bodies, idempotency_key="b")
    assert isinstance(one, inturn.Turn)
    assert isinstance(two, inturn.InvalidRequest)
    assert isinstance(three, inturn.Turn)
    assert two.status == 400
    assert [one.wait().text[:13], three.wait().text[:15]] == ["answer to one", "answer to three"]
    repeated = client.turns.batch(bodies, idempotency_key="b")
    assert [turn.id for turn in repeated if isinstance(turn, inturn.Turn)] == [one.id, three.id]


@pytest.mark.parametrize(
    ("turn_id", "error"),
    [("turn_" + "f" * 32, inturn.TurnNotFound), ("turn_" + "0" * 32, inturn.TurnExpired), ("a/b?c", inturn.Refused)],
)
def test_unknown_turns_raise_errors(client: Client, turn_id: str, error: type[inturn.InTurnError]) -> None:
    for ask in (
        client.turns.get,
        client.turns.wait,
        client.turns.cancel,
        lambda turn_id: list(client.turns.stream(turn_id)),
    ):
        with pytest.raises(error) as caught:
            ask(turn_id)
        assert caught.value.request_id


LONE = "turn_\udcff"


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda client: client.turns.get(LONE), "turn_id"),
        (lambda client: client.turns.wait(LONE), "turn_id"),
        (lambda client: client.turns.cancel(LONE), "turn_id"),
        (lambda client: list(client.turns.stream(LONE)), "turn_id"),
        (lambda client: list(client.turns.list(session_id=LONE)), "session_id"),
        (lambda client: client.sessions.get(LONE), "session_id"),
        (lambda client: client.sessions.delete("s", user_id=LONE), "user_id"),
        (lambda client: client.turns.create("s", LONE), "input"),
    ],
)
def test_invalid_unicode_is_refused_in_every_field(client: Client, ask: Callable[[Client], object], field: str) -> None:
    with pytest.raises(inturn.InvalidRequest, match=f"^{field}: must be valid Unicode, without lone surrogates"):
        ask(client)


def test_a_misspelt_field_is_refused_with_a_suggestion(client: Client) -> None:
    with pytest.raises(inturn.InvalidRequest, match="did you mean user_id"):
        client.turns.create("s", "hello", user="alice")  # type: ignore[call-arg]  # the misspelt name is the subject of the test


def test_sessions_are_listed_read_and_erased(client: Client) -> None:
    client.turns.create("erased", "hello", user_id="alice").wait()
    assert client.sessions.get("erased", user_id="alice").message_count == 2
    assert ("erased", "alice") in [(session.session_id, session.user_id) for session in client.sessions.list()]
    newest = next(iter(client.sessions.messages("erased", user_id="alice", order="desc", limit=1)))
    assert (newest.number, newest.role) == (2, "assistant")
    client.sessions.delete("erased", user_id="alice")
    with pytest.raises(inturn.SessionNotFound):
        client.sessions.get("erased", user_id="alice")


def test_readiness_and_status_are_typed(client: Client) -> None:
    ready = client.readiness()
    assert (ready.status, ready.durability, ready.live_workers) == ("ok", "always", 1)
    status = client.status()
    assert (status.live_workers, dict(status.paused)) == (1, {})


def test_calls_and_waits_survive_a_restart(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    stack.web.kill()
    with Client(stack.url, max_retries=10) as client:
        stack.web = stack.start_web()
        turn = client.turns.create("s", "hello [gate go]")
        stack.web.kill()
        stack.web = stack.start_web()
        stack.open_gate("go")
        assert turn.wait(60).status == "completed"


def test_an_unreachable_service_raises_after_the_retries(stack: Stack) -> None:
    with Client("http://127.0.0.1:1", max_retries=1) as client, pytest.raises(inturn.Unreachable) as error:
        client.turns.get("turn_1")
    assert (error.value.status, error.value.code, error.value.request_id) == (None, None, None)


def test_another_service_at_the_url_is_recognized(stack: Stack) -> None:
    model = stack.environment["OPENAI_BASE_URL"].removesuffix("/v1")
    assert call(f"{model}/v1/assistants").status == 200
    with Client(model) as client, pytest.raises(inturn.ServiceBroken, match="Is the URL right"):
        client.assistants.list()
