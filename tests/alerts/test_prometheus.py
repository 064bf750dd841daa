"""A real Prometheus scrapes real web processes through real faults, with the shipped rules: each alert fires."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from inturn.testing.ports import free_port
from tests.acceptance.operations.test_metrics import metric
from tests.alerts.test_rules import RULES
from tests.support.cluster.nodes import ClusterNodes
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until
from turns.backend.partition.tags import HOME, hash_tags, slot_of
from turns.config.store_url import DEFAULT_PARTITIONS

Labels: TypeAlias = dict[str, str]

PATIENT = {"INTURN_FIRST_TOKEN_SECONDS": "900", "INTURN_TOTAL_SECONDS": "900"}
SLOW_ALERTS_SECONDS = 480  # some rules wait for five minutes


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Return a function that starts a stack with these settings, whose turns may wait for minutes."""
    with contextlib.ExitStack() as stacks:
        yield lambda *, workers, store=None, **settings: stacks.enter_context(
            Stack(tmp_path, workers=workers, settings={**PATIENT, **settings}, store=store)
        )


@contextlib.contextmanager
def watched(stack: Stack, tmp_path: Path) -> Iterator[Callable[[], list[Labels]]]:
    """Let Prometheus scrape the stack. Yield a function that returns the labels of the firing alerts."""
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

        def firing() -> list[Labels]:
            alerts = call(f"http://{address}/api/v1/alerts").body["data"]["alerts"]
            return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

        try:
            # Prometheus sees no increase of a counter that was not 0 when it first scraped it.
            wait_until("Prometheus has scraped all targets", lambda: are_scraped(address), seconds=30)
            yield firing
        finally:
            prometheus.terminate()


def are_scraped(address: str) -> bool:
    try:
        targets = call(f"http://{address}/api/v1/targets").body["data"]["activeTargets"]
    except (OSError, ValueError, TypeError):  # it answers with plain text while it starts
        return False
    return bool(targets) and all(target["health"] == "up" for target in targets)


def wait_for_alerts(
    firing: Callable[[], list[Labels]],
    expected: set[str],
    *,
    seconds: float,
    others: AbstractSet[str] = frozenset(),
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Wait until all of these alerts have fired. `others` may fire too; `meanwhile` is called once a second."""
    seen: set[str] = set()

    def have_fired() -> bool:
        meanwhile()
        time.sleep(1)  # the rate of callers, not a wait for a fact
        found = firing()
        assert all(found.count(labels) == 1 for labels in found), "two web processes are scraped"
        seen.update(labels["alertname"] for labels in found)
        return seen >= expected

    with contextlib.suppress(AssertionError):  # the next line names the alerts that are missing
        wait_until("all alerts have fired", have_fired, seconds=seconds)
    assert expected - seen == set()
    assert seen <= expected | others


@pytest.mark.timeout(300)  # the rules wait for up to two minutes
def test_an_outage_fires_each_of_its_alerts_once(start: Callable[..., Stack], tmp_path: Path) -> None:
    """Every turn fails, one turn never gets an answer, and the store becomes full."""
    stack = start(workers=1, INTURN_WEB_PROCESSES="2")
    with watched(stack, tmp_path) as firing:
        stack.wait_until_finished(stack.submit("calm", "hello"))
        assert firing() == []
        stack.submit("silent", "hello [delay 900]")
        for n in range(3):
            stack.wait_until_finished(stack.submit(f"fails{n}", "hello [fail 401]"))
        stack.store.raw.config_set("maxmemory", "1")

        def is_refused() -> None:
            refused = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("refused", "hello"))
            assert (refused.status, refused.body["code"]) == (503, "store_unavailable")

        wait_for_alerts(
            firing,
            {"EveryTurnFails", "NothingCompletes", "UsersWait", "StoreRefusesWrites", "TurnsAreRefused"},
            others={"FirstTokenIsLate", "StoreIsNearlyFull", "ManyTurnsFail"},
            meanwhile=is_refused,
            seconds=180,
        )


@pytest.mark.timeout(400)
def test_missing_processes_fire_their_alerts(start: Callable[..., Stack], tmp_path: Path) -> None:
    """The only worker is frozen, the store may evict, a pause is old, and at last the endpoint is gone."""
    stack = start(workers=1)
    with watched(stack, tmp_path) as firing:
        stack.wait_until_finished(stack.submit("calm", "hello"))
        stack.wait_until_running(stack.submit("held", "hello [delay 900]"))
        stack.workers[0].signal(signal.SIGSTOP)
        stack.submit("waits", "hello")
        stack.store.raw.config_set("maxmemory-policy", "allkeys-lru")
        pause_two_hours_ago(stack)
        others = {"UsersWait", "NothingCompletes", "FirstTokenIsLate", "TurnsAreRefused"}
        absent = {"NoWorkers", "WorkerIsSilent", "TurnsWaitTooLong", "StoreIsUnsafe", "PauseIsForgotten"}
        wait_for_alerts(firing, absent, others=others, seconds=180)
        stack.web.kill()
        wait_for_alerts(firing, {"EndpointAway"}, others=others | absent, seconds=120)
        stack.workers[0].signal(signal.SIGCONT)


@pytest.mark.timeout(600)  # the rules wait for five minutes
def test_slow_faults_fire_their_alerts(start: Callable[..., Stack], tmp_path: Path) -> None:
    """A model is away, another is late, turns fail, workers die and freeze, and the store fills up."""
    (tmp_path / "assistants.toml").write_text('[assistants.default]\n[assistants.away]\nmodel = "away"\n')
    stack = start(workers=2, INTURN_ASSISTANTS=str(tmp_path / "assistants.toml"), INTURN_LEASE_SECONDS="2")
    with watched(stack, tmp_path) as firing:
        stack.wait_until_finished(stack.submit("calm", "hello"))
        frozen = stack.worker_of(frozen_turn := stack.submit("frozen", "hello [words 400] [pace 0.1]"))
        frozen.signal(signal.SIGSTOP)
        wait_until("it runs elsewhere", lambda: stack.worker_of(frozen_turn) is not frozen, seconds=30)
        frozen.signal(signal.SIGCONT)
        stack.submit("late", "hello [delay 900]")
        for n in range(80):
            stack.submit(f"many{n}", "hello [delay 20]")
        for n in range(8):
            stack.submit(f"away{n}", "hello [fail 503]", assistant="away")
        wait_until("a worker runs many", lambda: runs(stack) > 60, seconds=30)
        for deaths in (1, 2, 3):
            stack.workers[0].kill()
            wait_until("the death is counted", lambda n=deaths: deaths_of_workers(stack) >= n)  # type: ignore[misc]
            stack.replace_dead()
            stack.wait_until_ready(workers=2)
        store = stack.store.raw
        store.setrange("ballast", 64_000_000, "x")  # so that the turns of this test do not fill the rest
        store.config_set("maxmemory", int(store.info("memory")["used_memory"] / 0.85))
        wait_for_alerts(
            firing,
            {
                "ModelIsPaused",
                "StoreIsNearlyFull",
                "ManyTurnsFail",
                "WorkersCrash",
                "WorkersAreLost",
                "LeasesAreTooShort",
                "FirstTokenIsLate",
            },
            # A worker is silent for as long as another one takes to notice that it is frozen.
            others={
                "UsersWait",
                "NothingCompletes",
                "EveryTurnFails",
                "TurnsWaitTooLong",
                "TurnsAreRefused",
                "WorkerIsSilent",
            },
            meanwhile=lambda: stack.submit("fails", "hello [fail 400]"),
            seconds=SLOW_ALERTS_SECONDS,
        )


@pytest.mark.timeout(300)
def test_a_node_of_a_cluster_fires_its_alerts(start: Callable[..., Stack], tmp_path: Path) -> None:
    """One node may evict, and another one is killed; neither has the home partition."""
    cluster = ClusterNodes(tmp_path, primaries=3, durable=True)
    stack = start(workers=1, store=cluster)
    home = cluster.owner(slot_of(f"{{{hash_tags(DEFAULT_PARTITIONS)[HOME]}}}"))
    evicting, killed = (node for node in cluster.nodes if node is not home)
    with watched(stack, tmp_path) as firing:
        stack.wait_until_finished(stack.submit("calm", "hello"))
        assert firing() == []
        evicting.raw.config_set("maxmemory-policy", "allkeys-lru")
        killed.kill()
        wait_for_alerts(firing, {"PartitionsAway", "StoreIsUnsafe"}, seconds=150)


def pause_two_hours_ago(stack: Stack) -> None:
    """Pause a lane, and let that be longer ago than it is."""
    assert call(f"{stack.url}/operator/pauses/lane/batch", method="PUT", body={"reason": "a test"}).status == 200
    pause = json.loads(stack.store.raw.hget("inturn:service", "lane/batch"))
    stack.store.raw.hset("inturn:service", "lane/batch", json.dumps({**pause, "since": pause["since"] - 7_200_000}))


def deaths_of_workers(stack: Stack) -> float:
    return metric(stack, "inturn_worker_deaths_total", kind="loop")


def runs(stack: Stack) -> int:
    """Return the number of running turns."""
    return len(call(f"{stack.url}/v1/turns?status=in_progress&limit=100").body["data"])


def test_every_alert_fires_in_one_of_these_tests() -> None:
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    code = Path(__file__).read_text(encoding="utf-8")
    assert [rule["alert"] for rule in group["rules"] if f'"{rule["alert"]}"' not in code] == []
