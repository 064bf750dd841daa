"""A model on hold in a cluster: one partition probes, and what it finds out reaches all others."""

from dataclasses import replace
from typing import Any, cast

import pytest

from tests.integration.conftest import answer_to
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import IDLE_HOLD_MS
from turns.backend.script_replies import to_record
from turns.config.settings import Settings
from turns.coordination.coordinator import Coordinator
from turns.coordination.hold_agreement import Act, Agreement
from turns.coordination.hold_news import HoldNews
from turns.coordination.hold_sharing import HoldSharing
from turns.domain.error_codes import Code
from turns.domain.errors import StoreUnavailable
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.turn import Turn
from turns.operations.queries import OperatorQueries
from turns.store.holds import ModelHold
from turns.store.partitioned.turns import PartitionedTurnStore

OUTAGE = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.OUTAGE, seconds=60))
IDLE_MS = IDLE_HOLD_MS + 1000


class Scene:
    """Turns of the model `m` in nearly all partitions; the first one of each is in `heads`, by partition."""

    def __init__(self, client: Client, settings: Settings, store: PartitionedTurnStore, turns: list[Turn]) -> None:
        self.client, self.settings, self.store, self.turns = client, settings, store, turns
        self.heads = {client.find_partition(turn.id): turn for turn in reversed(turns)}
        self.coordinator = Coordinator(client, settings, store.hold_news, worker="w")

    def claim(self, turn: Turn) -> Claim | None:
        return self.store.claim(turn.id, worker="w", model="m")

    def fail(self, claim: Claim | None, decision: Retry = OUTAGE) -> int:
        """Let this run find that the model does not answer; return its partition."""
        assert claim
        self.store.retry(claim, Code.PROVIDER_UNREACHABLE, decision, model="m")
        return self.client.find_partition(claim.turn_id)

    def hold(self) -> int:
        """Let one partition find out, and the others learn it; return the partition."""
        leader = self.fail(self.claim(self.turns[0]))
        self.coordinator.do_round()
        return leader

    def fields(self, number: int) -> dict[str, str]:
        return to_record(cast(dict[bytes, bytes], self.client.partitions[number].hgetall(keys.HOLD("m"))))

    def held(self) -> set[int]:
        """Return the partitions in which the model is on hold and not reopening."""
        return {n for n in range(24) if (found := self.fields(n)) and "answered_at" not in found}

    def pass_time(self, *numbers: int, since_ms: int = 1) -> None:
        """Let the time of the hold pass in these partitions, and the workers check it."""
        seconds, _ = self.client.time()
        for number in numbers:
            self.client.partitions[number].hset(keys.HOLD("m"), "until", seconds * 1000 - since_ms)
        self.check(*numbers)

    def check(self, *numbers: int) -> None:
        """Let the workers check the hold in these partitions."""
        for number in numbers:
            self.client.partitions[number].zadd(keys.HOLDS.name, {"m": 1}, xx=True)
        self.store.rescue(worker="w", hint="hint")

    def running(self) -> list[Claim]:
        return [claim for turn in self.turns if (claim := self.claim(turn))]

    def answer(self, claim: Claim) -> None:
        self.store.commit(claim, answer_to(claim), tail="")

    @property
    def listed(self) -> list[ModelHold]:
        return list(OperatorQueries(self.client, self.settings).read_holds())


@pytest.fixture
def scene(client: Client, settings: Settings, store: PartitionedTurnStore, turns: list[Turn]) -> Scene:
    return Scene(client, settings, store, turns)


def test_all_partitions_learn_of_a_hold_by_one_failed_attempt(scene: Scene) -> None:
    leader = scene.hold()
    assert scene.held() == set(range(24))
    assert scene.running() == []
    [hold] = scene.listed
    assert (hold.name, hold.code, hold.is_reopening) == ("m", Code.PROVIDER_UNREACHABLE, False)
    assert hold.held_turns == len(scene.turns)
    assert hold.until == int(scene.fields(leader)["until"])
    metrics = scene.store.read_metrics()
    assert metrics.counters["held"] == {("outage", "m"): 1}
    assert [one.name for one in metrics.holds] == ["m"]


def test_a_hold_of_the_longest_time_is_not_cut_short(scene: Scene) -> None:
    longest = Hold(reason=HoldReason.RATE_LIMITED, seconds=100 * scene.settings.longest_pause_seconds)
    scene.fail(scene.claim(scene.turns[0]), replace(OUTAGE, hold=longest))
    scene.coordinator.do_round()
    assert scene.running() == []
    scene.check(*range(24))
    assert scene.running() == []
    assert scene.held() == set(range(24))


def test_one_partition_probes_for_all(scene: Scene) -> None:
    leader = scene.hold()
    scene.pass_time(leader)
    [probe] = scene.running()
    assert scene.client.find_partition(probe.turn_id) == leader
    scene.coordinator.do_round()
    assert scene.running() == []
    scene.fail(probe)
    scene.coordinator.do_round()
    assert scene.held() == set(range(24))
    assert scene.fields(leader)["step"] == "2"
    assert scene.running() == []


def test_the_answer_of_the_probe_reopens_all_partitions(scene: Scene) -> None:
    leader = scene.hold()
    scene.pass_time(leader)
    [probe] = scene.running()
    scene.answer(probe)
    scene.coordinator.do_round()
    assert scene.held() == set()
    admitted = scene.running()
    assert {scene.client.find_partition(claim.turn_id) for claim in admitted} == {*scene.heads}
    assert len(admitted) <= len(scene.heads) + 1  # one of each, and two where the answer came
    while admitted:
        for claim in admitted:
            scene.answer(claim)
        admitted = scene.running()
    assert scene.listed == []
    scene.coordinator.do_round()
    assert scene.client.home.exists(keys.SHARED_HOLDS.name) == 0


def test_a_failure_after_the_answer_holds_the_model_everywhere(scene: Scene) -> None:
    scene.pass_time(scene.hold())
    [probe] = scene.running()
    scene.answer(probe)
    scene.coordinator.do_round()
    failed = scene.fail(next(claim for claim in scene.running() if scene.client.find_partition(claim.turn_id) != 0))
    scene.coordinator.do_round()
    assert scene.held() == set(range(24))
    assert not scene.fields(failed).get("probe")
    assert scene.fields(0)["probe"] == f"partition/{failed}"


def test_an_operator_lifts_the_hold_everywhere(scene: Scene) -> None:
    scene.hold()
    assert scene.store.lift_hold("m")
    scene.coordinator.do_round()
    assert scene.held() == set()
    assert {scene.client.find_partition(claim.turn_id) for claim in scene.running()} == {*scene.heads}


def test_a_failure_right_after_a_lift_holds_the_model(scene: Scene) -> None:
    scene.hold()
    scene.store.lift_hold("m")
    leader = scene.fail(scene.running()[0])
    scene.coordinator.do_round()
    assert scene.held() == set(range(24))
    assert not scene.fields(leader).get("probe")


def test_without_a_coordinator_each_partition_probes_by_itself(scene: Scene) -> None:
    scene.hold()
    scene.pass_time(*range(24))  # no round has extended a lease
    probes = scene.running()
    assert {scene.client.find_partition(claim.turn_id) for claim in probes} == {*scene.heads}
    assert len(probes) == len(scene.heads)
    for probe in probes:
        scene.answer(probe)
    assert not scene.held() & {*scene.heads}


def test_after_a_gap_one_partition_leads_again(scene: Scene) -> None:
    scene.hold()
    scene.pass_time(*range(24))
    for probe in scene.running():
        scene.fail(probe)
    scene.coordinator.do_round()
    followed = {scene.fields(number).get("probe") for number in range(24)}
    assert len(followed) == 2  # all others follow one
    assert None in followed


def test_another_partition_probes_when_the_first_has_no_turn(scene: Scene) -> None:
    leader = scene.hold()
    assert scene.running() == []
    for turn in scene.turns:
        if scene.client.find_partition(turn.id) == leader:
            scene.store.cancel(turn.id)
    scene.coordinator.do_round()
    assert scene.fields(leader)["probe"].startswith("partition/")
    successor = int(scene.fields(leader)["probe"].removeprefix("partition/"))
    scene.pass_time(successor)
    [probe] = scene.running()
    assert scene.client.find_partition(probe.turn_id) == successor


def test_a_hold_without_turns_ends_in_all_partitions(scene: Scene) -> None:
    leader = scene.hold()
    for turn in scene.turns:
        scene.store.cancel(turn.id)
    scene.pass_time(leader, since_ms=IDLE_MS)
    assert scene.fields(leader) == {}
    scene.coordinator.do_round()
    assert scene.listed == []


@pytest.mark.parametrize("act", [Act.FOLLOW, Act.REOPEN])
def test_a_partition_that_changes_meanwhile_keeps_its_news(scene: Scene, act: Act) -> None:
    """Let a probe be answered, or fail, between the read and the write of a round."""
    leader = scene.hold()
    sharing = HoldSharing(scene.client, scene.settings, scene.store.hold_news)
    other = next(number for number in scene.heads if number != leader)
    views = sharing._read("m")
    scene.pass_time(other)  # its lease has passed
    [probe] = scene.running()
    if act is Act.FOLLOW:
        scene.answer(probe)
    else:
        scene.fail(probe)
    changed = scene.fields(other)
    sharing._bring("m", views, Agreement(acts={other: act}, leader=leader))
    assert scene.fields(other) == changed


def test_only_the_first_of_many_failures_is_news(scene: Scene) -> None:
    running = scene.running()
    scene.fail(running[0])
    assert scene.store.hold_news.wait(0)
    scene.coordinator.do_round()
    for claim in running[1:]:
        scene.fail(claim)
    assert not scene.store.hold_news.wait(0)
    scene.coordinator.do_round()
    assert len([number for number in range(24) if not scene.fields(number).get("probe")]) == 1


def test_a_model_that_is_held_again_meanwhile_stays_shared(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn fail right before the coordinator forgets a model that is free everywhere."""
    scene.client.home.sadd(keys.SHARED_HOLDS.name, "m")
    claim = scene.claim(scene.turns[0])
    sharing = HoldSharing(scene.client, scene.settings, scene.store.hold_news)
    bring = sharing._bring
    monkeypatch.setattr(sharing, "_bring", lambda *args: (bring(*args), scene.fail(claim)))
    sharing.share()
    assert scene.client.home.smembers(keys.SHARED_HOLDS.name) == {b"m"}


def test_a_partition_that_returns_after_an_answer_is_free(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a follower be away while the model answers, and the others forget the hold."""
    leader = scene.hold()
    away = next(number for number in scene.heads if number != leader)
    sharing = scene.coordinator._holds
    read = sharing._read
    monkeypatch.setattr(sharing, "_read", lambda name: {n: view for n, view in read(name).items() if n != away})
    for number in {*range(24)} - {away}:
        scene.store._stores[number].lift_hold("m")
    scene.coordinator.do_round()
    while admitted := scene.running():
        for claim in admitted:
            scene.answer(claim)
    scene.coordinator.do_round()
    assert scene.held() == {away}
    monkeypatch.undo()
    scene.coordinator.do_round()
    assert scene.held() == set()
    assert {scene.client.find_partition(claim.turn_id) for claim in scene.running()} == {away}


def test_a_round_that_wakes_late_leaves_no_hold_behind(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an operator lift the hold, and another worker forget it, between the read and the write of a round."""
    for turn in scene.turns[1:]:
        scene.store.cancel(turn.id)
    leader = scene.fail(
        scene.claim(scene.turns[0]), replace(OUTAGE, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=300))
    )
    sharing = scene.coordinator._holds
    bring = sharing._bring

    def bring_late(*args: Any) -> None:
        monkeypatch.undo()
        scene.store.lift_hold("m")
        [claim] = scene.running()
        scene.answer(claim)
        scene.store.lift_hold("m")
        scene.store.hold_news.take()  # those are of another worker
        HoldSharing(scene.client, scene.settings, HoldNews()).share()
        bring(*args)

    monkeypatch.setattr(sharing, "_bring", bring_late)
    sharing.share()
    assert scene.held() == {*range(24)} - {leader}
    scene.coordinator.do_round()
    assert scene.held() == set()


def test_one_that_takes_over_probes_at_the_same_time(scene: Scene) -> None:
    leader = scene.hold()
    assert scene.running() == []
    for turn in scene.turns:
        if scene.client.find_partition(turn.id) == leader:
            scene.store.cancel(turn.id)
    scene.client.partitions[leader].hset(keys.HOLD("m"), "until", 1)
    scene.coordinator.do_round()
    scene.check(*range(24))
    [probe] = scene.running()
    assert scene.client.find_partition(probe.turn_id) != leader


def test_a_worker_with_constant_news_does_its_rounds(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[None] = []
    monkeypatch.setattr(scene.coordinator._slots, "share", lambda: rounds.append(None))
    scene.store.hold_news.report("m", 0, is_sure=True)
    scene.coordinator.step()
    assert rounds == [None]


def test_only_the_answer_of_the_probe_is_news(scene: Scene) -> None:
    scene.pass_time(scene.hold())
    [probe] = scene.running()
    scene.answer(probe)
    assert scene.store.hold_news.wait(0)
    scene.coordinator.do_round()
    for claim in scene.running():
        scene.answer(claim)
    assert not scene.store.hold_news.wait(0)


def test_news_that_the_home_partition_has_missed_is_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.fail(scene.claim(scene.turns[0]))
    with monkeypatch.context() as patch:
        patch.setattr(scene.client.home, "sadd", raise_unavailable)
        with pytest.raises(StoreUnavailable):
            scene.coordinator.step()
    scene.coordinator.step()
    assert scene.held() == set(range(24))


def raise_unavailable(*_: object) -> None:
    raise StoreUnavailable("away")
