from collections.abc import Callable
from functools import partial

import pytest

from tests.integration.conftest import answer_to, events
from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.error_codes import Code
from turns.domain.messages import window_length
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore

StoreWith = Callable[..., TurnStore]
Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


def test_a_claim_returns_the_turn_and_the_messages_before_it(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None]
) -> None:
    first, second = accept("one", variables={"ability": "math"}), accept("two")
    claimed = claim(first)
    assert (claimed.input, claimed.variables, claimed.attempt, claimed.messages) == ("one", {"ability": "math"}, 1, ())
    commit(claimed)
    before = answer_to(claimed)
    assert claim(second).messages == (before.question_message.encode(), before.answer_message.encode())


def test_a_claim_that_cannot_be_read_fails_the_turn(accept: Accept, store: TurnStore, server: Server) -> None:
    """Another program, or a bug, has damaged the assistant's definition."""
    turn = accept()
    digest = server.raw.hget(keys.TURN(turn.id), "definition").decode()
    server.raw.hset(keys.DEFINITION(digest), "definition", "{")
    assert store.claim(turn.id, worker="w") is None
    ended = store.get_turn(turn.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, Code.WORKER_ERROR)


def test_two_hints_give_one_claim(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    turn = accept()
    claim(turn)
    assert store.claim(turn.id, worker="other") is None
    assert store.get_turn(turn.id).status is Status.IN_PROGRESS


def test_only_the_head_can_be_claimed(accept: Accept, store: TurnStore) -> None:
    _, second = accept(), accept()
    assert store.claim(second.id, worker="w") is None


@pytest.mark.parametrize("turn_id", ["turn_" + "0" * 32, "", "x", "turn_" + "0" * 32 + "\n", "../../etc/passwd"])
def test_a_hint_for_an_unknown_turn_is_ignored(store: TurnStore, turn_id: str) -> None:
    assert store.claim(turn_id, worker="w") is None


def test_an_ended_turn_cannot_be_claimed(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore
) -> None:
    turn = accept()
    commit(claim(turn))
    assert store.claim(turn.id, worker="w") is None


def test_a_claim_whose_reply_was_lost_is_repeated(accept: Accept, store: TurnStore, server: Server) -> None:
    turn = accept()
    again = partial(store._scripts.claim, turn.id, token="t", worker="w", model="m", fallback_model="")
    assert again() == again()
    assert server.raw.hget(keys.TURN(turn.id), "claims") == b"1"


def test_the_first_claim_emits_a_status_event(accept: Accept, claim: ClaimTurn, server: Server) -> None:
    turn = accept()
    claim(turn)
    assert events(server, turn) == [("1-0", "status")]


def test_a_turn_not_started_in_time_ends_and_its_session_continues(
    accept: Accept, store: TurnStore, server: Server, claim: ClaimTurn
) -> None:
    late, following = accept(start_within_seconds=600), accept()
    server.raw.hset(keys.TURN(late.id), "start_by", 1)
    assert store.claim(late.id, worker="w") is None
    ended = store.get_turn(late.id)
    assert (ended.status, ended.status_reason) == (Status.INCOMPLETE, "expired")
    claim(following)


def test_a_waiting_turn_not_started_in_time_ends_too(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    running, late = claim(accept()), accept(start_within_seconds=600)
    server.raw.zadd(keys.START_BY.name, {late.id: 1})
    assert store.rescue(worker="", hint="") == [(late.id, Reply.EXPIRED)]
    assert store.get_turn(late.id).status_reason == "expired"
    store.commit(running, answer_to(running), tail="")


def test_a_started_turn_does_not_expire(accept: Accept, claim: ClaimTurn, server: Server) -> None:
    claim(accept(start_within_seconds=600))
    assert server.raw.zcard(keys.START_BY.name) == 0


@pytest.mark.parametrize("max_messages", range(6))
def test_a_list_and_a_file_have_the_same_window(server: Server, store_with: StoreWith, max_messages: int) -> None:
    """The window of a list is computed in Lua, that of a file in Python."""
    store = store_with(history_window=max_messages)
    for length in range(13):
        turn = store.accept(TurnRequest(session_id=f"s{length}", input="x")).turn
        server.raw.rpush(keys.HISTORY(turn.session_id), *["x"] * length) if length else None
        claimed = store.claim(turn.id, worker="w")
        assert claimed
        assert len(claimed.messages) == window_length(length, max_messages)


@pytest.mark.parametrize(
    ("committed", "window", "seen"),
    [
        (0, 4, []),
        (4, 4, ["1", "2", "3", "4"]),
        (5, 4, ["3", "4", "5"]),
        (6, 4, ["3", "4", "5", "6"]),
        (7, 4, ["5", "6", "7"]),
        (5, 0, []),
        (3, 1, ["3"]),
    ],
)
def test_the_window_slides_in_steps_of_half_its_size(
    server: Server, store_with: StoreWith, committed: int, window: int, seen: list[str]
) -> None:
    """The start of the prompt stays the same for several turns, so that the provider's prompt cache stays valid."""
    store = store_with(history_window=window)
    for n in range(1, committed + 1):
        server.raw.lpush(keys.HISTORY("s"), str(n))
    turn = store.accept(TurnRequest(session_id="s", input="x")).turn
    claimed = store.claim(turn.id, worker="w")
    assert claimed is not None
    assert [message.decode() for message in claimed.messages] == seen
