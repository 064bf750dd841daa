"""Keep the latest results in `measured.json`, and write them to the documentation.

docs/explanation/performance.md has all of them as tables and plots, docs/operate/capacity.md what a primary carries.
"""

import json
import os
import platform
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Figure, Result, Series
from bench.plots import plot
from tools import ROOT
from tools.docs import with_part

MEASURED = Path(__file__).parent / "measured.json"
PAGE = ROOT / "docs" / "explanation" / "performance.md"
CAPACITY_PAGE = ROOT / "docs" / "operate" / "capacity.md"
PLOTS = ROOT / "docs" / "explanation" / "plots"
SEPARATE_ROW = "pools"  # this row has a table in another section
HEAD = ["| | Measured | Target | |", "|---|---|---|---|"]


def save(name: str, result: Result) -> None:
    """Replace the kept result of this row."""
    kept = _kept_results()
    kept[name] = asdict(result)
    MEASURED.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_report() -> None:
    """Write the pages and the plots from the kept results."""
    from bench.table import ROWS  # noqa: PLC0415  # the rows import gevent, which the report does not need

    kept = _kept_results()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [
        f"Measured by `make bench` ({machine}). The callers and the model server share the cores, but their",
        "CPU time is not counted.",
        "",
        *_table(kept, [name for name in ROWS if name != SEPARATE_ROW]),
        "",
    ]
    PLOTS.mkdir(exist_ok=True)
    for series in [Series(**fields) for name in ROWS if name in kept for fields in kept[name]["series"]]:
        plot(series, PLOTS)
        lines.append(f"![{series.y_label}, by {series.x_label}](plots/{series.name}.svg)")
    page = PAGE.read_text(encoding="utf-8")
    page = with_part(page, "measured", "\n".join(lines))
    page = with_part(page, SEPARATE_ROW, "\n".join(_table(kept, [SEPARATE_ROW])))
    PAGE.write_text(page, encoding="utf-8")
    capacity = with_part(CAPACITY_PAGE.read_text(encoding="utf-8"), "primary", _capacity(kept))
    CAPACITY_PAGE.write_text(capacity, encoding="utf-8")


def _table(kept: dict[str, Any], names: Sequence[str]) -> list[str]:
    figures = [Figure(**fields) for name in names if name in kept for fields in kept[name]["figures"]]
    return [*HEAD, *map(_row, figures)]


def _row(figure: Figure) -> str:
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}"
    return f"| {figure.label} | {value} {figure.unit} | {figure.target} | {figure.verdict} |"


def _capacity(kept: dict[str, Any]) -> str:
    """Return what a primary and a cluster carry, in whole sentences."""
    [subscribers] = kept["ceiling"]["series"]
    polled, streamed = (curve[0] for curve in subscribers["curves"].values())
    factor = kept["primaries"]["figures"][-1]["value"]
    text = (
        f"One primary that syncs its log with each batch of commands carries about {_rounded(polled)} polled turns a"
        f" second of its core, or {_rounded(streamed)} streamed ones of 100 pieces. A cluster of one primary works"
        f" {factor:.2f} times as much for a turn as a plain server. Twelve primaries with a core each would carry about"
        f" {_rounded(12 * polled / factor)} polled turns a second by these figures; that is calculated, not measured."
    )
    return textwrap.fill(text, width=120)


def _rounded(value: float) -> str:
    """Return a number with two significant digits."""
    return f"{float(f'{value:.2g}'):,.0f}"


def _kept_results() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    return kept
