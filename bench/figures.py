"""The results of a measurement: figures with their targets, and series for the plots."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
Name = TypeVar("Name", bound=str | int)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value. `max_value` or `min_value` is the target, if there is one."""

    label: str
    value: float
    unit: str
    max_value: float | None = None
    min_value: float | None = None

    @property
    def target(self) -> str:
        if self.max_value is not None:
            return f"≤ {self.max_value:,.4g}"
        return f"≥ {self.min_value:,.4g}" if self.min_value is not None else ""

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**not met**", None: ""}[self.is_met]

    def __str__(self) -> str:
        return f"{self.label}: {self.value:.4g} {self.unit} {self.target} {self.verdict}".rstrip()

    @property
    def is_met(self) -> bool | None:
        if self.max_value is not None:
            return self.value <= self.max_value
        return self.value >= self.min_value if self.min_value is not None else None


@dataclass(frozen=True, kw_only=True)
class Series:
    """A plot. Each curve has a value for every x value, or for the first few of them."""

    name: str
    x_label: str
    y_label: str
    x_values: Sequence[float]
    curves: Mapping[str, Sequence[float]]
    is_logarithmic: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """The figures and series of one row. `message` is printed to the terminal only."""

    figures: Sequence[Figure]
    series: Sequence[Series] = field(default_factory=list)
    message: str = ""


def interleave(rounds: int, runs: Mapping[Name, Callable[[], T]]) -> dict[Name, list[T]]:
    """Call every run once per round, so that a busy moment of the machine affects all of them."""
    results: dict[Name, list[T]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that is not exceeded by this share of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]
