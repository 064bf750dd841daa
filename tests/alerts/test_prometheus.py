"""A real Prometheus scrapes real web processes through a real outage, with the shipped rules."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inturn.testing.ports import free_port
from tests.alerts.test_rules import RULES
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

EXPECTED = {"EveryTurnFails", "NothingCompletes", "UsersWait", "StoreRefusesWrites", "TurnsAreRefused"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    settings = {"INTURN_WEB_PROCESSES": "2", "INTURN_FIRST_TOKEN_SECONDS": "900", "INTURN_TOTAL_SECONDS": "900"}
    with Stack(tmp_path, workers=1, settings=settings) as stack:
        yield stack


@pytest.fixture
def firing(stack: Stack, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """Return a function that returns the names of the firing alerts, once for each."""
    port, path = free_port(), stack.url.removeprefix("http://127.0.0.1:")
    targets = [f"127.0.0.1:{path}", f"localhost:{path}"]  # two instances, as with two web processes
    config = tmp_path / "prometheus.json"
    config.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [{"job_name": "inturn", "static_configs": [{"targets": targets}]}],
            }
        ),
        encoding="utf-8",
    )
    address = f"127.0.0.1:{port}"
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    with subprocess.Popen([*command, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL) as prometheus:

        def firing() -> list[str]:
            alerts = call(f"http://{address}/api/v1/alerts").body["data"]["alerts"]
            return sorted(alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing")

        try:
            wait_until("Prometheus answers", lambda: answers(f"http://{address}/api/v1/alerts"))
            yield firing
        finally:
            prometheus.terminate()


def answers(url: str) -> bool:
    try:
        return call(url).status == 200
    except (OSError, ValueError):  # it answers with plain text while it starts
        return False


@pytest.mark.timeout(300)  # the rules wait for up to two minutes
def test_an_outage_fires_each_of_its_alerts_once(stack: Stack, firing: Callable[[], list[str]]) -> None:
    """Every turn fails, one turn never gets an answer, and the store becomes full."""
    stack.wait_until_finished(stack.submit("calm", "hello"))
    assert firing() == []
    stack.submit("silent", "hello [delay 900]")
    for n in range(3):
        stack.wait_until_finished(stack.submit(f"fails{n}", "hello [fail 401]"))
    stack.store.raw.config_set("maxmemory", "1")
    body = turn_request("refused", "hello")

    seen: set[str] = set()

    def all_have_fired() -> bool:
        refused = call(f"{stack.url}/v1/turns", method="POST", body=body)
        assert (refused.status, refused.body["code"]) == (503, "store_unavailable")
        time.sleep(1)  # the rate of callers, not a wait for a fact
        found = firing()
        assert len(found) == len(set(found)), "two web processes are scraped"
        seen.update(found)
        return seen >= EXPECTED

    wait_until("all alerts have fired", all_have_fired, seconds=180)
    assert seen - EXPECTED <= {"FirstTokenIsLate", "StoreIsNearlyFull", "ManyTurnsFail"}
