"""What operators load names only what there is."""

import json
import re

import yaml

from docs.generate import ROOT
from web.exposition import COUNTERS, GAUGES, TIMINGS

OPS = ROOT / "ops"
EXPOSED = (
    {f"{name}_total" for name, _ in COUNTERS.values()}
    | {f"{name}_{part}" for name, _ in TIMINGS.values() for part in ("bucket", "sum", "count")}
    | {name for name, _ in GAUGES.values()}
)
METRIC = re.compile(r"\b(?:inturn|gen_ai_(?:client|server))_[a-z_]+\b")


def test_the_dashboard_names_only_exported_metrics() -> None:
    dashboard = json.loads((OPS / "grafana.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = set(METRIC.findall(" ".join(queries)))
    assert named <= EXPOSED
    assert all(METRIC.search(query) for query in queries)


def test_the_alerts_name_only_exported_metrics_and_say_what_to_do() -> None:
    [group] = yaml.safe_load((OPS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        assert METRIC.findall(rule["expr"])
        assert set(METRIC.findall(rule["expr"])) <= EXPOSED, rule["alert"]
        assert rule["annotations"]["description"]


def test_the_scaler_names_an_exported_metric() -> None:
    scaler = yaml.safe_load((OPS / "keda.yaml").read_text(encoding="utf-8"))
    assert set(METRIC.findall(scaler["spec"]["triggers"][0]["metadata"]["query"])) <= EXPOSED


def test_every_metric_is_explained_to_the_operator() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name, _ in (*COUNTERS.values(), *TIMINGS.values(), *GAUGES.values()):
        assert f"`{name}" in page, name
