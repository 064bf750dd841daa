"""What a measurement gives: figures with their targets, and series for the plots."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Result = TypeVar("Result")
Name = TypeVar("Name", bound=str | int)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value. `most` or `least` is its target, if it has one."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"≤ {self.most:.3g}"
        return f"≥ {self.least:.3g}" if self.least is not None else ""

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**not met**", None: ""}[self.is_met]

    def __str__(self) -> str:
        return f"{self.what}: {self.value:.4g} {self.unit} {self.target} {self.verdict}".rstrip()

    @property
    def is_met(self) -> bool | None:
        if self.most is not None:
            return self.value <= self.most
        return self.value >= self.least if self.least is not None else None


@dataclass(frozen=True, kw_only=True)
class Series:
    """A plot: `lines` by name, each with a value for each of `at`, or for the first of them."""

    name: str
    x: str
    y: str
    at: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    is_logarithmic: bool = False


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`note`: what whoever ran it should know."""

    figures: Sequence[Figure]
    series: Sequence[Series] = field(default_factory=list)
    note: str = ""


def alternately(rounds: int, runs: Mapping[Name, Callable[[], Result]]) -> dict[Name, list[Result]]:
    """Each of the runs so often, by turns, so that a busy moment of the machine meets all of them."""
    results: dict[Name, list[Result]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]
