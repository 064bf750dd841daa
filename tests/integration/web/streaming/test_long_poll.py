"""A waiting request checks the turn when the wait begins, and reads it when it has ended."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore
from web.streaming.long_poll import LongPolls
from web.streaming.single_flight import SingleFlight

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]
SECONDS = 20.0


@dataclass
class Web:
    """The parts of a web process that let callers wait, with the ids of the turns that it read."""

    store: TurnStore
    checks: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.subscriptions = self.store.subscriptions()
        self.long_polls = LongPolls(self._get_ended_turn, SingleFlight(self._read), self.subscriptions, max_waiters=10)
        self._callers = ThreadPoolExecutor(10)

    def _get_ended_turn(self, turn_id: str, *, tenant: str) -> Turn | None:
        self.checks.append(turn_id)
        return self.store.get_ended_turn(turn_id, tenant=tenant)

    def _read(self, turn_id: str, *, tenant: str) -> Turn:
        self.reads.append(turn_id)
        return self.store.get_turn(turn_id, tenant=tenant)

    def start(self, server: Server) -> None:
        self.subscriptions.start()
        self.long_polls.start()
        wait_until("it has subscribed", lambda: server.raw.pubsub_numsub(keys.ENDED.name)[0][1])

    def stop(self) -> None:
        self.subscriptions.stop()
        self._callers.shutdown()

    def wait(self, turn: Turn, *, seconds: float = SECONDS) -> Future[Turn]:
        """Let a caller wait for the turn; return its future answer once the wait has begun."""
        before = len(self.checks)
        answer = self._callers.submit(self.long_polls.wait_for_turn, turn.id, tenant=turn.tenant, wait_seconds=seconds)
        wait_until("the turn has been checked", lambda: len(self.checks) > before or answer.done())
        return answer


@pytest.fixture
def web(store: TurnStore, server: Server) -> Iterator[Web]:
    web = Web(store)
    web.start(server)
    yield web
    web.stop()


def test_a_wait_ends_with_the_turn_after_one_read(
    web: Web, accept: Accept, claim: Take, commit: Callable[[Claim], None]
) -> None:
    turn = accept()
    answer = web.wait(turn)
    assert web.reads == []
    commit(claim(turn))
    assert answer.result(SECONDS) == web.store.get_turn(turn.id)
    assert answer.result().output == "answer to hello"
    assert (web.checks, web.reads) == ([turn.id], [turn.id])


def test_after_a_gap_the_turn_is_read_again(
    web: Web, accept: Accept, claim: Take, commit: Callable[[Claim], None]
) -> None:
    turn = accept()
    answer = web.wait(turn)
    web.subscriptions.resync()
    wait_until("it has been read", lambda: web.reads)
    commit(claim(turn))
    assert answer.result(SECONDS).status is Status.COMPLETED


def test_a_draining_process_answers_waits_at_once(web: Web, accept: Accept) -> None:
    turn = accept()
    answer = web.wait(turn)
    web.long_polls.drain()
    assert answer.result(SECONDS) == turn
    assert web.wait(turn).result(SECONDS) == turn
