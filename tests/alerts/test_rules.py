"""Each shipped alert fires when it should, alone, and once for two web processes."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.cases import CALM, CASES, STEP_SECONDS, Case
from tools import ROOT

RULES = ROOT / "deploy" / "alerts.yml"
FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def instances(name: str, values: str) -> list[dict[str, str]]:
    """Return a series as two web processes export it."""
    metric, _, labels = name.rstrip("}").partition("{")
    return [
        {"series": f'{metric}{{{labels}{", " if labels else ""}instance="{instance}"}}', "values": values}
        for instance in ("a", "b")
    ]


def promtool_test(case: Case | None, *, interval: int = STEP_SECONDS) -> dict[str, Any]:
    series = {**CALM, **(case.changes if case else {})}
    expected = [f'{{alertname="{case.alert}"}}'] if case else []
    moments = [(case.not_until, []), (case.fires_at, expected)] if case else [(600, [])]
    return {
        "interval": f"{interval}s",
        "input_series": [one for name, values in series.items() if values for one in instances(name, values)],
        "promql_expr_test": [
            {
                "expr": f'{FIRING} and on (alertname) label_replace(vector(1), "alertname", "{case.alert}", "", "")'
                if case
                else FIRING,
                "eval_time": f"{seconds}s",
                "exp_samples": [{"labels": labels, "value": 1} for labels in firing],
            }
            for seconds, firing in moments
        ],
    }


def run_promtool(test: dict[str, Any], folder: Path) -> None:
    path = folder / "test.yml"
    content = {"rule_files": [str(RULES)], "evaluation_interval": f"{STEP_SECONDS}s", "tests": [test]}
    path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    ended = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_in_time_and_not_before(case: Case, tmp_path: Path) -> None:
    run_promtool(promtool_test(case), tmp_path)


@pytest.mark.parametrize("interval", [30, 60, 120])
@pytest.mark.parametrize("alert", ["NothingCompletes", "TurnsAreRefused"])
def test_alerts_fire_with_longer_intervals_too(alert: str, interval: int, tmp_path: Path) -> None:
    [case] = [case for case in CASES if case.alert == alert]
    run_promtool(promtool_test(replace(case, not_until=0, fires_at=12 * interval), interval=interval), tmp_path)


def test_no_alert_fires_while_all_is_well(tmp_path: Path) -> None:
    run_promtool(promtool_test(None), tmp_path)
