from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.conftest import answer_to, history
from tests.support.server import Server
from turns.backend import keys
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTwice = Callable[[Turn], tuple[Claim, Claim]]
ClaimTurn = Callable[[Turn], Claim]

USAGE = Usage(input_tokens=1, output_tokens=2, total_tokens=3)
MakeDue = Callable[[Turn], None]


def pair(claim: Claim) -> list[str]:
    answer = answer_to(claim)
    return [answer.question_message, answer.answer_message]


def test_a_commit_is_the_whole_effect(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, hints: Callable[[], list[str]]
) -> None:
    first, second = accept("one"), accept("two")
    hints()
    claimed = claim(first)
    store.commit(claimed, answer_to(claimed), tail="")
    done = store.get_turn(first.id)
    assert (done.status, done.output, done.model) == (Status.COMPLETED, "answer to one", "m")
    assert done.finished_at is not None
    assert done.expires_at is not None
    assert history(server) == pair(claimed)
    assert hints() == [second.id]
    assert server.raw.zrange(keys.DUE.name, 0, -1) == [second.id.encode()]


def test_a_commit_stores_any_number_of_messages(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    """Lua's stack holds 8,000 values."""
    claimed = claim(accept())
    between = tuple(f'{{"n": {n}}}' for n in range(10_000))
    answer = replace(answer_to(claimed), between_messages=between, usage=USAGE)
    store.commit(claimed, answer, tail="")
    question, last = pair(claimed)
    assert history(server) == [question, *between, last]
    done = store.get_turn(claimed.turn_id)
    assert (done.status, done.output, done.usage) == (Status.COMPLETED, answer.output, USAGE)


def test_a_commit_whose_reply_was_lost_takes_effect_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    store.commit(claimed, answer_to(claimed), tail="")
    store.commit(claimed, answer_to(claimed), tail="")
    assert history(server) == pair(claimed)
    assert store.read_health().live_turns == 0


def test_a_stale_worker_cannot_commit(
    accept: Accept, claim_twice: ClaimTwice, store: TurnStore, server: Server
) -> None:
    """A worker slept through its lease and another one claimed the turn; then the first one wakes up."""
    old, new = claim_twice(accept())
    with pytest.raises(LeaseLost):
        store.commit(old, answer_to(old), tail="")
    store.commit(new, answer_to(new), tail="")
    with pytest.raises(LeaseLost):
        store.commit(old, answer_to(old), tail="")
    assert history(server) == pair(new)


def test_a_late_commit_counts_until_another_claim_holds_the_turn(
    accept: Accept, claim: ClaimTurn, make_due: MakeDue, store: TurnStore
) -> None:
    """The answer has been paid for."""
    turn = accept()
    claimed = claim(turn)
    make_due(turn)
    store.commit(claimed, answer_to(claimed), tail="")
    assert store.get_turn(turn.id).status is Status.COMPLETED


def test_a_cancelled_turn_cannot_be_committed(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    store.cancel(turn.id)
    with pytest.raises(LeaseLost):
        store.commit(claimed, answer_to(claimed), tail="")
    assert history(server) == []


def test_a_commit_succeeds_when_memory_is_full(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, settings: Settings
) -> None:
    claimed = claim(accept())
    server.raw.config_set("maxmemory", 1)
    try:
        store.commit(claimed, answer_to(claimed), tail="")
    finally:
        server.raw.config_set("maxmemory", 0)
    assert store.get_turn(claimed.turn_id).status is Status.COMPLETED


def test_a_history_of_another_type_fails_only_the_turn(accept: Accept, store: TurnStore, server: Server) -> None:
    server.raw.set(keys.HISTORY("s"), "another program's")
    first, second = accept(), accept()
    for turn in (first, second):
        assert store.claim(turn.id, worker="w") is None
        assert store.get_turn(turn.id).error_code is Code.HISTORY_UNUSABLE
    assert server.raw.get(keys.HISTORY("s")) == b"another program's"


def test_a_history_of_another_type_fails_the_commit_cleanly(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    server.raw.set(keys.HISTORY("s"), "another program's")
    with pytest.raises(Exception, match="WRONGTYPE"):
        store.commit(claimed, answer_to(claimed), tail="")
    assert store.get_turn(claimed.turn_id).status is Status.IN_PROGRESS
    assert server.raw.get(keys.HISTORY("s")) == b"another program's"
