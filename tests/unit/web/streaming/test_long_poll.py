"""Waits for turns, without a store."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest

from tests.support.records import record
from tests.support.waiting import wait_until
from turns.backend.pubsub import Subscriptions
from turns.domain.state import Status
from turns.domain.turn import Turn
from web.streaming.long_poll import LongPolls
from web.streaming.single_flight import SingleFlight

RUNNING = Turn.from_record("turn_1", record(Status.IN_PROGRESS))
COMPLETED = replace(RUNNING, status=Status.COMPLETED)
LONG_SECONDS = 60.0


class Store:
    """A turn as the store has it, and the messages that it publishes."""

    def __init__(self) -> None:
        self.turn = RUNNING
        self.reads = 0
        self.received = 0
        self.messages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.after_read: Callable[[int], None] = lambda _: None  # called with the number of the read

    def ended_turns(self) -> Iterator[str | None]:
        while True:
            yield self.messages.get()
            self.received += 1

    def get_turn(self, turn_id: str, *, tenant: str) -> Turn:
        turn = self.turn
        self.reads += 1
        self.after_read(self.reads)
        return turn

    def get_ended_turn(self, turn_id: str, *, tenant: str) -> Turn | None:
        turn = self.get_turn(turn_id, tenant=tenant)
        return turn if turn.status.is_terminal else None

    def end(self) -> None:
        self.turn = COMPLETED
        self.messages.put(COMPLETED.id)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def long_polls(store: Store) -> LongPolls:
    long_polls = LongPolls(
        store.get_ended_turn, SingleFlight(store.get_turn), cast(Subscriptions, store), max_waiters=1
    )
    long_polls.start()
    return long_polls


def wait(long_polls: LongPolls, seconds: float) -> Turn:
    return long_polls.wait_for_turn("turn_1", tenant="-", wait_seconds=seconds)


def test_an_end_between_the_read_and_the_wait_is_not_missed(store: Store, long_polls: LongPolls) -> None:
    def end_after_the_first_read(number: int) -> None:
        if number == 1:
            store.end()
            wait_until("the message is received before the wait begins", lambda: store.received == 1)

    store.after_read = end_after_the_first_read
    assert wait(long_polls, LONG_SECONDS) is COMPLETED
    assert store.reads == 2


def test_an_end_before_the_read_needs_no_message(store: Store, long_polls: LongPolls) -> None:
    store.turn = COMPLETED
    assert wait(long_polls, LONG_SECONDS) is COMPLETED
    assert store.reads == 1


def test_a_lost_message_delays_the_answer_to_the_timeout(store: Store, long_polls: LongPolls) -> None:
    def lose_the_message(number: int) -> None:
        store.turn = COMPLETED

    store.after_read = lose_the_message
    assert wait(long_polls, 0.05) is COMPLETED
    assert store.reads == 2


def test_the_end_of_another_turn_wakes_no_waiter(store: Store, long_polls: LongPolls) -> None:
    store.after_read = lambda _: store.messages.put("turn_2")
    assert wait(long_polls, 0.05) is RUNNING
    assert store.reads == 2, "one when the wait begins, one when it times out"


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_to_wait_means_one_read(store: Store, long_polls: LongPolls, seconds: float) -> None:
    assert wait(long_polls, seconds) is RUNNING
    assert store.reads == 1


def test_beyond_the_limit_callers_do_not_wait(store: Store, long_polls: LongPolls) -> None:
    def ask_again(number: int) -> None:
        if number == 1:  # while one caller waits already
            store.turn = replace(RUNNING, id="turn_2")
            assert long_polls.wait_for_turn("turn_2", tenant="-", wait_seconds=LONG_SECONDS).id == "turn_2"
            store.end()

    store.after_read = ask_again
    assert wait(long_polls, LONG_SECONDS) is COMPLETED


def test_a_drain_ends_a_wait_that_is_about_to_begin(store: Store, long_polls: LongPolls) -> None:
    store.after_read = lambda _: long_polls.drain()
    assert wait(long_polls, LONG_SECONDS) is RUNNING
    assert store.reads == 2


def test_an_accepted_turn_is_read_once_when_it_ends(store: Store, long_polls: LongPolls) -> None:
    long_polls.remember_accepted(RUNNING)
    store.end()
    assert wait(long_polls, LONG_SECONDS) is COMPLETED
    assert store.reads == 1


def test_an_end_before_the_acceptance_is_not_missed(store: Store, long_polls: LongPolls) -> None:
    store.end()
    wait_until("the message is received", lambda: store.received == 1)
    long_polls.remember_accepted(RUNNING)
    assert wait(long_polls, LONG_SECONDS) is COMPLETED


def test_lost_messages_make_the_next_wait_begin_with_a_read(store: Store, long_polls: LongPolls) -> None:
    long_polls.remember_accepted(RUNNING)
    store.messages.put(None)
    wait_until("the gap is received", lambda: store.received == 1)
    store.turn = COMPLETED
    assert wait(long_polls, LONG_SECONDS) is COMPLETED


def test_a_timeout_makes_the_next_wait_begin_with_a_read(store: Store, long_polls: LongPolls) -> None:
    long_polls.remember_accepted(RUNNING)
    assert wait(long_polls, 0.05) is RUNNING
    store.turn = COMPLETED
    assert wait(long_polls, LONG_SECONDS) is COMPLETED
    assert store.reads == 2


def test_an_accepted_turn_is_read_for_another_tenant(store: Store, long_polls: LongPolls) -> None:
    long_polls.remember_accepted(RUNNING)
    store.turn = COMPLETED
    assert long_polls.wait_for_turn("turn_1", tenant="other", wait_seconds=LONG_SECONDS) is COMPLETED
    assert store.reads == 1


def test_only_the_newest_accepted_turns_are_remembered(
    store: Store, long_polls: LongPolls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.streaming.long_poll.MAX_KNOWN_TURNS", 1)
    long_polls.remember_accepted(RUNNING)
    long_polls.remember_accepted(replace(RUNNING, id="turn_2"))
    store.turn = COMPLETED
    assert wait(long_polls, LONG_SECONDS) is COMPLETED
