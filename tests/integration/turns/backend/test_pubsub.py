"""Tests of subscriptions: one connection for all, and a resync after lost messages."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend.pubsub import Subscriptions
from turns.domain.events import TurnEvent
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.event_stream.folded_events import folded_events
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


@pytest.fixture
def subscriptions(store: TurnStore) -> Iterator[Subscriptions]:
    subscriptions = store.subscriptions()
    subscriptions.start()
    yield subscriptions
    subscriptions.stop()


def test_all_messages_after_the_first_resync_arrive(
    subscriptions: Subscriptions, accept: Accept, claim: ClaimTurn, store: TurnStore
) -> None:
    claimed = claim(accept())
    turn = store.get_turn(claimed.turn_id)
    with subscriptions.watch_turn(turn) as one, subscriptions.watch_turn(turn) as other:
        for subscription in (one, other):
            assert subscription.get(seconds=60) is None
        store.emit([claimed.delta(0, "Hel lo\n\0é ")])
        for subscription in (one, other):
            message = subscription.get(seconds=60)
            assert message is not None
            assert TurnEvent.from_message(message) == store.read_events(turn.id, after="1-0")[0]


def test_a_turn_gets_its_own_events_and_a_session_all(
    subscriptions: Subscriptions, accept: Accept, claim: ClaimTurn, store: TurnStore
) -> None:
    first, second = accept(), accept()
    with subscriptions.watch_turn(second) as own, subscriptions.watch_session(first.session) as all_turns:
        assert (own.get(seconds=60), all_turns.get(seconds=60)) == (None, None)
        claim(first)
        store.cancel(second.id)
        for subscription, turns in ((own, [second]), (all_turns, [first, second])):
            messages = [subscription.get(seconds=60) for _ in turns]
            assert [(message or b"").split()[0].decode() for message in messages] == [turn.id for turn in turns]


def test_readers_receive_the_last_piece_and_the_end(
    subscriptions: Subscriptions, accept: Accept, claim: ClaimTurn, store: TurnStore
) -> None:
    claimed = claim(accept())
    answer = answer_to(claimed)
    with subscriptions.watch_turn(store.get_turn(claimed.turn_id)) as subscription:
        assert subscription.get(seconds=60) is None
        store.commit(claimed, answer, tail=answer.output, keeps_events=False)
        received = [TurnEvent.from_message(subscription.get(seconds=60) or b"") for _ in range(2)]
    assert received == folded_events(store.get_turn(claimed.turn_id), after="1-0")


def test_a_channel_without_readers_is_unsubscribed(
    subscriptions: Subscriptions, accept: Accept, server: Server
) -> None:
    turn = accept()
    with subscriptions.watch_turn(turn) as subscription:
        assert subscription.get(seconds=60) is None
        assert server.raw.pubsub_channels("inturn:live:*") != []
    wait_until("the channel is unsubscribed", lambda: server.raw.pubsub_channels("inturn:*") == [])


def test_a_reconnection_causes_a_resync(
    subscriptions: Subscriptions, accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    turn = store.get_turn(claimed.turn_id)
    with subscriptions.watch_turn(turn) as subscription:
        assert subscription.get(seconds=60) is None
        server.raw.client_kill_filter(_type="pubsub")
        assert subscription.get(seconds=60) is None
        store.emit([claimed.delta(0, "x")])
        assert subscription.get(seconds=60) is not None


def test_a_waiting_turn_learns_that_its_position_changed(
    subscriptions: Subscriptions, accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None]
) -> None:
    first, second = accept(), accept()
    claimed = claim(first)
    with subscriptions.watch_turn(second) as subscription:
        assert subscription.get(seconds=60) is None
        commit(claimed)
        assert subscription.get(seconds=60) == b""
