"""Turns of custom chains are dispatched to the queue of the chain workers, in each script that dispatches."""

import pytest

from tests.integration.turns.backend.lua.test_rescue import Accept, ClaimTurn, MakeDue
from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.assistant import Assistant, RunsIn
from turns.domain.worker_kind import WorkerKind, worker_name
from turns.store.turns import TurnStore

CUSTOM = Assistant(name="rag", chain="a:b")
CHAIN_WORKER = worker_name("host", 1, "x", WorkerKind.CHAINS)
CHAIN_HINT = "chain turn_" + "0" * 32


@pytest.fixture(autouse=True)
def hints(store: TurnStore, server: Server) -> None:
    """Store both hints, after the store of the test was emptied."""
    server.raw.hset(keys.SERVICE.name, mapping={"hint": "turn_" + "0" * 32, "chain_hint": CHAIN_HINT})


def queued(server: Server) -> tuple[list[str], list[str]]:
    """Pop the hints of both queues, oldest first: of built-in chains, of custom chains."""
    queues = [server.raw.lpop(key.name, 1000) or [] for key in (keys.HINTS, keys.CHAIN_HINTS)]
    built_in, custom = [[hint.decode() for hint in reversed(hints)] for hints in queues]
    return built_in, custom


def test_each_script_dispatches_to_the_queue_of_the_chain(
    accept: Accept, claim: ClaimTurn, make_due: MakeDue, store: TurnStore, server: Server
) -> None:
    built_in = accept(session_id="other")
    turn = accept(assistant=CUSTOM)
    assert queued(server) == ([built_in.id], [f"chain {turn.id}"])
    store.release(turn.id)
    assert queued(server) == ([], [f"chain {turn.id}"])
    claim(turn)
    make_due(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.RESCUED)]
    assert queued(server) == ([], [f"chain {turn.id}"])
    following = accept()
    store.cancel(turn.id)
    assert queued(server) == ([following.id], []), "each turn of a session has its own queue"


def test_a_custom_chain_that_runs_in_the_loop_has_the_usual_queue(accept: Accept, server: Server) -> None:
    turn = accept(assistant=Assistant(name="quick", chain="a:b", runs_in=RunsIn.LOOP))
    assert queued(server) == ([turn.id], [])


def test_a_chain_hint_that_is_still_queued_is_not_sent_again(
    accept: Accept, make_due: MakeDue, store: TurnStore, server: Server
) -> None:
    turn = accept(assistant=CUSTOM)
    make_due(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.WAITING)]
    assert queued(server) == ([], [f"chain {turn.id}"])
    make_due(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.DISPATCHED)]


def test_each_kind_of_worker_writes_its_own_hint(store: TurnStore, server: Server) -> None:
    store.rescue(worker=CHAIN_WORKER, hint="new chain hint")
    store.rescue(worker="host:2:y", hint="new hint")
    assert server.raw.hmget(keys.SERVICE.name, "hint", "chain_hint") == [b"new hint", b"new chain hint"]
