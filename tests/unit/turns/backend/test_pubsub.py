import pytest

from turns.backend.pubsub import MAX_QUEUED_MESSAGES, Subscription


def test_messages_arrive_in_order() -> None:
    subscription = Subscription()
    for message in (None, b"1", b"2"):
        subscription.put(message)
    assert [subscription.get(seconds=1) for _ in range(3)] == [None, b"1", b"2"]
    with pytest.raises(TimeoutError):
        subscription.get(seconds=0.01)


def test_a_slow_reader_gets_a_resync_instead_of_its_messages() -> None:
    subscription = Subscription()
    for n in range(MAX_QUEUED_MESSAGES + 1):
        subscription.put(b"%d" % n)
    subscription.put(b"later")
    assert [subscription.get(seconds=1) for _ in range(2)] == [None, b"later"]
    with pytest.raises(TimeoutError):
        subscription.get(seconds=0.01)
