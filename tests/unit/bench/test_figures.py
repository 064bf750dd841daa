"""Figures compare their value with the target."""

from bench.figures import Figure, interleave, percentile


def test_a_figure_is_compared_with_its_target() -> None:
    assert str(Figure(label="cost", value=5.2, unit="ms", max_value=6)) == "cost: 5.2 ms ≤ 6 met"
    assert str(Figure(label="speed", value=600, unit="/s", min_value=700)) == "speed: 600 /s ≥ 700 **not met**"
    assert str(Figure(label="memory", value=150, unit="MB")) == "memory: 150 MB"


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([3, 1, 2, 4], share) for share in (0, 0.5, 1)] == [1, 3, 4]


def test_runs_alternate() -> None:
    order: list[str] = []
    interleave(2, {name: lambda name=name: order.append(name) for name in "ab"})  # type: ignore[misc]
    assert order == ["a", "b", "a", "b"]
