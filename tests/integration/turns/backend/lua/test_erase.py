from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.assistant import DEFAULT
from turns.domain.errors import LeaseLost, SessionNotFound, TurnNotFound
from turns.domain.ids import session_key
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.sessions import ERASE_LIMIT, SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]

LEFT = {keys.METRICS.name, keys.SERVICE.name, keys.HINTS.name, keys.WORKERS.name}
LEFT |= {keys.USAGE_ENTRIES.name}  # what its runs took, see docs/guides/operations.md
LEFT |= {keys.DEFINITION(DEFAULT.digest)}  # contains nothing of the session


def test_nothing_of_an_erased_session_is_left(
    accept: Accept, claim: ClaimTurn, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    ended = claim(accept(idempotency_key="k", user_id="alice"))
    store.commit(ended, answer_to(ended), tail="")
    running, waiting = (accept(start_within_seconds=60, user_id="alice") for _ in range(2))
    claim(running)
    sessions.erase(session_key("s", "alice"))
    assert {key.decode() for key in server.raw.scan_iter("*")} <= LEFT
    for turn in (running, waiting):
        with pytest.raises(TurnNotFound):
            store.get_turn(turn.id)
    with pytest.raises(SessionNotFound):
        sessions.get_session(session_key("s", "alice"))
    assert store.read_health().live_turns == 0


def test_a_worker_that_still_runs_a_turn_restores_nothing(
    accept: Accept, claim: ClaimTurn, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    sessions.erase("s")
    assert store.renew([claimed]) == [(claimed.token, Reply.LOST)]
    assert store.emit([claimed.delta(0, "x")]) == [(claimed.token, Reply.LOST)]
    with pytest.raises(LeaseLost):
        store.commit(claimed, answer_to(claimed), tail="")
    store.release(claimed.turn_id, token=claimed.token)
    assert {key.decode() for key in server.raw.scan_iter("*")} <= LEFT


def test_erasing_twice_or_an_unknown_session_does_nothing(
    accept: Accept, sessions: SessionStore, store: TurnStore
) -> None:
    other = accept(session_id="other")
    for _ in range(2):
        sessions.erase("s")
    assert store.get_turn(other.id) == other


def test_a_session_of_any_length_is_erased(
    store_with: Callable[..., TurnStore], sessions: SessionStore, server: Server
) -> None:
    store = store_with(session_backlog=2 * ERASE_LIMIT)
    for _ in range(ERASE_LIMIT + 1):
        store.accept(TurnRequest(session_id="s", input="x"))
    sessions.erase("s")
    assert {key.decode() for key in server.raw.scan_iter("*")} <= LEFT


def test_an_erased_session_can_begin_again(accept: Accept, sessions: SessionStore) -> None:
    accept()
    sessions.erase("s")
    assert accept().sequence == 1
