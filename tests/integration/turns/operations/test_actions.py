"""Tests of what operators do to sessions and workers."""

from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.errors import LeaseLost, WorkerAlive, WorkerNotFound
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.operations.actions import DRAIN_SECONDS, OperatorActions
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


@pytest.fixture
def actions(client: Client, store: TurnStore) -> OperatorActions:
    return OperatorActions(client, store)


def test_a_live_worker_can_be_drained(actions: OperatorActions, store: TurnStore, server: Server) -> None:
    store.rescue(worker="w", hint="")
    with pytest.raises(WorkerNotFound):
        actions.drain_worker("another")
    assert not store.is_drained("w")
    actions.drain_worker("w")
    assert store.is_drained("w")
    assert 0 < server.raw.ttl(keys.DRAINED("w")) <= DRAIN_SECONDS


def test_the_turns_of_a_silent_worker_are_taken_away(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], actions: OperatorActions, server: Server
) -> None:
    turns = [accept(session_id=str(n)) for n in range(3)]
    old = [claim(turn) for turn in turns]
    with pytest.raises(WorkerNotFound):
        actions.rescue_worker("w")
    seconds, _ = server.raw.time()
    server.raw.zadd(keys.WORKERS.name, {"w": seconds * 1000})
    with pytest.raises(WorkerAlive):
        actions.rescue_worker("w")
    server.raw.zadd(keys.WORKERS.name, {"w": (seconds - 60) * 1000})
    assert [actions.rescue_worker("w") for _ in range(2)] == [3, 0]
    with pytest.raises(LeaseLost):  # the alarm was false: the fence keeps the worker from writing
        commit(old[0])
    commit(claim(turns[0]))


def test_a_silent_worker_loses_turns_despite_its_connection(
    accept: Accept, claim: ClaimTurn, actions: OperatorActions, server: Server
) -> None:
    claim(accept())
    seconds, _ = server.raw.time()
    server.raw.zadd(keys.WORKERS.name, {"w": (seconds - 60) * 1000})
    with server.raw.pubsub() as subscription:
        subscription.subscribe(keys.CONNECTION("w"))
        assert subscription.get_message(timeout=60) is not None
        assert actions.rescue_worker("w") == 1
