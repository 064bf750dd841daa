"""One connection hears everything; where it may have missed something it says so."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend.pubsub import MAX_QUEUED_MESSAGES, Subscription, Subscriptions
from turns.domain.events import TurnEvent
from turns.domain.turn import Claim, Turn
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]


@pytest.fixture
def subscriptions(store: TurnStore) -> Iterator[Subscriptions]:
    subscriptions = store.subscriptions()
    subscriptions.start()
    yield subscriptions
    subscriptions.stop()


def test_a_listener_hears_from_the_moment_at_which_it_is_told_so(
    subscriptions: Subscriptions, accept: Accept, claim: Take, store: TurnStore
) -> None:
    claimed = claim(accept())
    turn = store.get_turn(claimed.turn_id)
    with subscriptions.watch(turn) as one, subscriptions.watch(turn) as other:
        for listener in (one, other):
            assert listener.get(seconds=5) is None
        store.emit([claimed.delta(0, "Hel lo\n\0é ")])
        for listener in (one, other):
            said = listener.get(seconds=5)
            assert said is not None
            assert TurnEvent.from_message(said) == store.read_events(turn.id, after="1-0")[0]


def test_who_has_left_costs_nothing(subscriptions: Subscriptions, accept: Accept, server: Server) -> None:
    turn = accept()
    with subscriptions.watch(turn) as listener:
        assert listener.get(seconds=5) is None
        assert server.raw.pubsub_channels("inturn:live:*") != []
    wait_until("the channel is left", lambda: server.raw.pubsub_channels("inturn:*") == [])


def test_a_connection_that_was_cut_is_made_again_and_the_gap_is_told(
    subscriptions: Subscriptions, accept: Accept, claim: Take, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    turn = store.get_turn(claimed.turn_id)
    with subscriptions.watch(turn) as listener:
        assert listener.get(seconds=5) is None
        server.raw.client_kill_filter(_type="pubsub")
        assert listener.get(seconds=5) is None
        store.emit([claimed.delta(0, "x")])
        assert listener.get(seconds=5) is not None


def test_a_turn_that_waits_hears_that_it_has_another_place(
    subscriptions: Subscriptions, accept: Accept, claim: Take, commit: Callable[[Claim], None]
) -> None:
    first, second = accept(), accept()
    claimed = claim(first)
    with subscriptions.watch(second) as listener:
        for _ in range(2):  # one for each channel
            assert listener.get(seconds=5) is None
        commit(claimed)
        assert listener.get(seconds=5) == b""


def test_a_listener_that_does_not_keep_up_gets_a_gap(subscriptions: Subscriptions) -> None:
    listener = Subscription()
    for n in range(MAX_QUEUED_MESSAGES + 1):
        listener.hear(b"%d" % n)
    assert listener.get(seconds=1) is None
    with pytest.raises(TimeoutError):
        listener.get(seconds=0.01)
