"""One of three primaries is away, with a third of the partitions, but not with the home partition."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cluster.nodes import ClusterNodes
from turns.backend.opening import connect
from turns.backend.partition.placement import Partitions
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.turn import Turn, TurnRequest
from turns.operations.queries import OperatorQueries
from turns.operations.verdict import evaluate
from turns.store.health import Readiness
from turns.store.partitioned.turns import PartitionedTurnStore, PartlyEmitted

AWAY = range(16, 24)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterNodes]:
    cluster = ClusterNodes(tmp_path, primaries=3)  # two of them still decide
    cluster.start()
    yield cluster
    cluster.stop()


def test_the_rest_is_served_and_what_is_away_is_counted(cluster: ClusterNodes) -> None:
    settings = Settings(redis_url=cluster.url)
    with connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=30) as client:
        store, queries = PartitionedTurnStore(client, settings), OperatorQueries(client, settings)
        requests = [TurnRequest(session_id=f"s-{n}", input="hello") for n in range(60)]
        turns = [store.accept(request).turn for request in requests]
        assert store.read_health().partitions_away == 0
        cluster.nodes[2].kill()
        here = [turn for turn in turns if not _is_away(turn)]

        running = store.claim(here[0].id, worker="w", model="m")
        assert running
        gone = next(turn for turn in turns if _is_away(turn))
        lost = replace(running, turn_id=gone.id)
        for _ in range(2):  # the second time without asking the partition that is away
            with pytest.raises(PartlyEmitted) as error:
                store.emit([running.delta(1, "hello"), lost.delta(1, "hello")])
            assert error.value.unsent == {gone.id}
        assert [event.text for event in store.read_events(here[0].id, after="0-0")].count("hello") == 1
        assert all(store.claim(turn.id, worker="w", model="m") for turn in here[1:])
        with pytest.raises(StoreUnavailable):
            store.get_turn(gone.id)
        health = store.read_health()
        assert (health.partitions_away, health.live_turns, health.readiness) == (len(AWAY), len(here), Readiness.OK)
        assert store.read_metrics().gauges["store_partitions_away"] == len(AWAY)
        assert {turn.id for turn in queries.read_live_turns().turns} == {turn.id for turn in here}
        assert "store_partly_away" in {finding.code for finding in evaluate(queries.read_facts(lost_turns=0))}
        with pytest.raises(StoreUnavailable):
            store.list_turns(limit=5)


def _is_away(turn: Turn) -> bool:
    return Partitions(24).of_turn(turn.id) in AWAY
