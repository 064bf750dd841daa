"""The files in deploy/ name only metrics that the service exports."""

import json
import re

import yaml

from tests.alerts.cases import CASES
from tools import ROOT
from web.schemas.exposition import COUNTERS, FAILING, GAUGES, HELD, HISTOGRAMS, PAUSED, WORKER_GAUGES

DEPLOY = ROOT / "deploy"
EXPOSED = (
    {f"{name}_total" for name, _ in COUNTERS.values()}
    | {f"{name}_{part}" for name, _ in HISTOGRAMS.values() for part in ("bucket", "sum", "count")}
    | {name for name, _ in (*GAUGES.values(), HELD, FAILING, PAUSED, *WORKER_GAUGES.values())}
)
METRIC = re.compile(r"\b(?:inturn|gen_ai_(?:client|server))_[a-z_]+\b")


def test_the_dashboard_names_only_exported_metrics() -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = set(METRIC.findall(" ".join(queries)))
    assert named <= EXPOSED
    assert all(METRIC.search(query) for query in queries)


def test_alerts_name_exported_metrics_and_have_a_description() -> None:
    [group] = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        assert METRIC.findall(rule["expr"])
        assert set(METRIC.findall(rule["expr"])) <= EXPOSED, rule["alert"]
        assert rule["annotations"]["description"]


def test_every_alert_has_a_section_of_its_name() -> None:
    [group] = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert f"## {rule['alert']}\n" in (ROOT / page).read_text(encoding="utf-8"), rule["alert"]
        assert anchor == rule["alert"].lower()


def test_every_alert_has_a_case_that_shows_that_it_fires() -> None:
    [group] = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    assert {case.alert for case in CASES} == {rule["alert"] for rule in group["rules"]}


def test_scalers_name_exported_metrics() -> None:
    for scaler in yaml.safe_load_all((DEPLOY / "keda.yaml").read_text(encoding="utf-8")):
        [trigger] = scaler["spec"]["triggers"]
        named = set(METRIC.findall(trigger["metadata"]["query"]))
        assert named
        assert named <= EXPOSED


def test_every_metric_is_explained_in_the_operations_page() -> None:
    page = (ROOT / "docs" / "guides" / "operations.md").read_text(encoding="utf-8")
    for name, _ in (*COUNTERS.values(), *HISTOGRAMS.values(), *GAUGES.values(), HELD, FAILING, *WORKER_GAUGES.values()):
        assert f"`{name}" in page, name
