"""What was measured last, kept in `measured.json`, as the table and the plots of `docs/performance.md`."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Figure, Measured, Series
from bench.plots import plot
from tools import ROOT

MEASURED = Path(__file__).parent / "measured.json"
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "plots"
APART = "pools"  # this row has a table of its own, in the section about it
HEAD = ["| | Measured | Target | |", "|---|---|---|---|"]


def keep(name: str, measured: Measured) -> None:
    """It takes the place of what was measured under this name before."""
    kept = _kept()
    kept[name] = asdict(measured)
    MEASURED.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def report() -> None:
    """The page and the plots say what is kept."""
    from bench.table import ROWS  # noqa: PLC0415  # the rows need not know of the report, nor it of gevent

    kept = _kept()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [
        f"Measured by `make bench` ({machine}); the callers and the model server share the cores, and are not counted.",
        "",
        *_table(kept, [name for name in ROWS if name != APART]),
        "",
    ]
    PLOTS.mkdir(exist_ok=True)
    for series in [Series(**given) for name in ROWS if name in kept for given in kept[name]["series"]]:
        plot(series, PLOTS)
        lines.append(f"![{series.y}, by {series.x}](plots/{series.name}.svg)")
    _write("measured", lines)
    _write(APART, _table(kept, [APART]))


def _write(block: str, lines: Sequence[str]) -> None:
    begin, end = f"<!-- {block}: generated -->", f"<!-- /{block} -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{chr(10).join(lines)}\n{end}{after}", encoding="utf-8")


def _table(kept: dict[str, Any], names: Sequence[str]) -> list[str]:
    figures = [Figure(**given) for name in names if name in kept for given in kept[name]["figures"]]
    return [*HEAD, *map(_row, figures)]


def _row(figure: Figure) -> str:
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}"
    return f"| {figure.what} | {value} {figure.unit} | {figure.target} | {figure.verdict} |"


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    return kept
