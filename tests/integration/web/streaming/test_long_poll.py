"""Who waits is told the turn as it ends, and reads only what that may have missed."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.domain.errors import SessionBusy, TurnNotFound
from turns.domain.ids import DEFAULT_TENANT
from turns.domain.state import Status
from turns.domain.turn import Claim, OnBusy, Turn, TurnRequest
from turns.store.acceptance import Accepted
from turns.store.turns import TurnStore
from web.streaming.live_turns import MAX_KNOWN, LiveTurns
from web.streaming.long_poll import LongPolls
from web.streaming.single_flight import SingleFlight

Take = Callable[[Turn], Claim]
HELLO = TurnRequest(session_id="s", input="hello")
SECONDS = 20.0


@dataclass
class Web:
    """What a web process is made of to let callers wait; `looked` are the turns that it read."""

    store: TurnStore
    looked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live = LiveTurns(self.store.accept)
        self.subscriptions = self.store.subscriptions()
        self.long_polls = LongPolls(SingleFlight(self._read), self.live, self.subscriptions, most=10)
        self._callers = ThreadPoolExecutor(10)

    def _read(self, turn_id: str, *, tenant: str) -> Turn:
        self.looked.append(turn_id)
        return self.store.get_turn(turn_id, tenant=tenant)

    def start(self, server: Server) -> None:
        self.subscriptions.start()
        self.long_polls.start()
        known = self.live.accept(replace(HELLO, session_id="first")).turn
        wait_until("it listens", lambda: server.raw.pubsub_numsub(keys.ENDED.name)[0][1])
        self.store.cancel(known.id)
        wait_until("it has heard the first end", lambda: not self.live.has(known.id, tenant=DEFAULT_TENANT))

    def stop(self) -> None:
        self.subscriptions.stop()
        self._callers.shutdown()

    def wait(self, turn: Turn, *, seconds: float = SECONDS) -> Future[Turn]:
        """Somebody waits for the turn."""
        before = self.long_polls._count
        told = self._callers.submit(self.long_polls.wait_for_turn, turn.id, tenant=turn.tenant, wait_seconds=seconds)
        wait_until("somebody waits", lambda: self.long_polls._count > before or told.done())
        return told


@pytest.fixture
def web(store: TurnStore, server: Server) -> Iterator[Web]:
    web = Web(store)
    web.start(server)
    yield web
    web.stop()


def test_a_wait_for_a_turn_of_this_process_reads_it_once(
    web: Web, claim: Take, commit: Callable[[Claim], None]
) -> None:
    turn = web.live.accept(HELLO).turn
    told = web.wait(turn)
    assert web.looked == []
    commit(claim(turn))
    assert told.result(SECONDS) == web.store.get_turn(turn.id)
    assert web.looked == [turn.id]


def test_a_wait_for_a_turn_of_another_process_reads_it_twice(
    web: Web, claim: Take, commit: Callable[[Claim], None]
) -> None:
    turn = web.store.accept(HELLO).turn
    told = web.wait(turn)
    wait_until("it has been looked at", lambda: web.looked == [turn.id])
    commit(claim(turn))
    assert told.result(SECONDS).output == "answer to hello"
    assert web.looked == [turn.id] * 2


def test_the_word_of_another_release_is_read_and_the_next_one_heard(
    web: Web, claim: Take, commit: Callable[[Claim], None], server: Server
) -> None:
    turn = web.live.accept(HELLO).turn
    told = web.wait(turn)
    server.raw.publish(keys.ENDED.name, f'{turn.id} ["one", "field"]')
    wait_until("it has been looked at", lambda: web.looked == [turn.id])
    commit(claim(turn))
    assert told.result(SECONDS).status is Status.COMPLETED


def test_many_who_wait_for_one_turn_are_told_the_same(web: Web, claim: Take, commit: Callable[[Claim], None]) -> None:
    turn = web.live.accept(HELLO).turn
    told = [web.wait(turn) for _ in range(5)]
    commit(claim(turn))
    assert {each.result(SECONDS).status for each in told} == {Status.COMPLETED}
    assert set(web.looked) == {turn.id}


def test_a_wait_that_is_over_ends_with_the_turn_as_it_is(web: Web) -> None:
    turn = web.live.accept(HELLO).turn
    assert web.wait(turn, seconds=0.05).result(SECONDS) == turn
    assert web.looked == [turn.id]


def test_after_a_gap_each_turn_is_looked_at(web: Web, claim: Take, commit: Callable[[Claim], None]) -> None:
    turn = web.live.accept(HELLO).turn
    told = web.wait(turn)
    web.subscriptions.wake()
    wait_until("it has been looked at", lambda: web.looked == [turn.id])
    assert not web.live.has(turn.id, tenant=turn.tenant)
    commit(claim(turn))
    assert told.result(SECONDS).status is Status.COMPLETED


def test_who_waits_while_the_process_ends_is_answered_at_once(web: Web) -> None:
    turn = web.live.accept(HELLO).turn
    told = web.wait(turn)
    web.long_polls.drain()
    assert told.result(SECONDS) == turn
    assert web.wait(turn).result(SECONDS) == turn


def test_another_tenant_waits_for_nothing(web: Web) -> None:
    turn = web.live.accept(HELLO).turn
    with pytest.raises(TurnNotFound):
        web.wait(replace(turn, tenant="acme")).result(SECONDS)


def test_a_turn_that_ends_before_its_own_acceptance_is_heard_of_is_not_waited_for(
    web: Web, claim: Take, commit: Callable[[Claim], None]
) -> None:
    def accept(request: TurnRequest, *, turn_id: str) -> Accepted:
        accepted = web.store.accept(request, turn_id=turn_id)
        commit(claim(accepted.turn))
        wait_until("its end is heard", lambda: not live.has(turn_id, tenant=request.tenant))
        return accepted

    live = web.long_polls._live = LiveTurns(accept)
    turn = live.accept(HELLO).turn
    assert web.wait(turn).result(SECONDS).status is Status.COMPLETED


def test_what_was_not_accepted_anew_is_not_known(web: Web) -> None:
    request = replace(HELLO, idempotency_key="k", on_busy=OnBusy.REJECT)
    first = web.live.accept(request).turn
    assert web.live.accept(request).turn.id == first.id
    with pytest.raises(SessionBusy):
        web.live.accept(replace(HELLO, on_busy=OnBusy.REJECT))
    assert [*web.live._tenants] == [first.id]


def test_of_too_many_turns_the_oldest_is_looked_at(web: Web) -> None:
    turn = web.live.accept(HELLO).turn
    web.live._tenants.update({f"turn_{n}": turn.tenant for n in range(MAX_KNOWN - 1)})
    newest = web.live.accept(replace(HELLO, session_id="t")).turn
    assert not web.live.has(turn.id, tenant=turn.tenant)
    assert web.live.has(newest.id, tenant=newest.tenant)
    assert len(web.live._tenants) == MAX_KNOWN
