"""The shop alone, without InTurn."""

from shop import orders


def test_a_repeated_cancellation_has_the_same_result() -> None:
    results = [orders.cancel_order("A-2", owner="ada", idempotency_key="k") for _ in range(2)]
    assert results == ["A-2 is cancelled"] * 2


def test_an_order_is_due_after_three_days() -> None:
    assert str(orders.due("2026-02-27")) == "2026-03-02"
