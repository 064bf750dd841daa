"""The steps of a move: stop the processes, copy, count, close the source and open the target, or go back."""

from typing import Any

import pytest

from tests.integration.turns.move.conftest import NewMover, Scene
from tests.integration.turns.move.view import view
from tests.support.cluster.nodes import ClusterNodes
from tests.support.server import Server
from turns.backend import keys
from turns.backend.installation import check_agreement
from turns.backend.partition.move_mark import read_mark
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, IntakePaused
from turns.domain.state import Status
from turns.move.copier import Copier
from turns.move.stopping import MoveFailed
from turns.pauses.part import INTAKE
from turns.pauses.pauses import Pauses


def test_the_move_waits_until_all_processes_are_stopped(scene: Scene, new_mover: NewMover, server: Server) -> None:
    _report(scene, "w1", "loop")
    _report(scene, "e1", "web")
    texts: list[str] = []

    def sleep(_: float) -> None:
        with pytest.raises(IntakePaused):
            scene.accept("too late")
        if "w1 (loop), e1 (web)" in texts[-1] or "e1 (web), w1 (loop)" in texts[-1]:
            scene.store.remove_worker("w1")
        else:
            server.raw.hset(keys.PROCESS("e1"), "seen_at", 1)

    assert new_mover(sleep=sleep, report=texts.append).move(wait_seconds=60) is not None
    assert texts[1] == "Stop these processes; the move waits for them: e1 (web)"


def test_nothing_is_copied_while_a_process_runs(scene: Scene, new_mover: NewMover, cluster: ClusterNodes) -> None:
    _report(scene, "e1", "web")
    with pytest.raises(MoveFailed, match=r"^Still running: e1 \(web\)\. Nothing was copied"):
        new_mover().move(wait_seconds=0)
    assert {node.raw.dbsize() for node in cluster.nodes} == {0}


def test_no_process_starts_with_the_old_store_afterwards(
    scene: Scene, cluster_scene: Scene, new_mover: NewMover
) -> None:
    new_mover().move(wait_seconds=0)
    with pytest.raises(ConfigurationError, match="was moved into a Redis Cluster"):
        check_agreement(scene.client, scene.settings)
    with pytest.raises(IntakePaused):
        scene.accept("s")
    check_agreement(cluster_scene.client, cluster_scene.settings)
    assert cluster_scene.accept("s").status is Status.QUEUED


def test_a_complete_move_can_be_repeated(scene: Scene, cluster_scene: Scene, new_mover: NewMover) -> None:
    new_mover().move(wait_seconds=0)
    new = cluster_scene.accept("s")
    assert new_mover().move(wait_seconds=0) is None
    assert cluster_scene.store.get_turn(new.id).id == new.id


@pytest.mark.parametrize("is_moved", [False, True])
def test_the_old_store_is_used_again_after_going_back(
    scene: Scene, new_mover: NewMover, cluster: ClusterNodes, *, is_moved: bool
) -> None:
    before = view(scene)
    if is_moved:
        new_mover().move(wait_seconds=0)
    else:
        _report(scene, "e1", "web")
        with pytest.raises(MoveFailed):
            new_mover().move(wait_seconds=0)
    new_mover().go_back(gives_up_newer=False)
    assert view(scene) == before
    assert {node.raw.dbsize() for node in cluster.nodes} == {0}
    check_agreement(scene.client, scene.settings)
    assert scene.accept("s").status is Status.QUEUED
    with pytest.raises(MoveFailed, match="is not being moved"):
        new_mover().go_back(gives_up_newer=False)


def test_newer_turns_are_not_given_up_by_accident(scene: Scene, cluster_scene: Scene, new_mover: NewMover) -> None:
    new_mover().move(wait_seconds=0)
    _report(cluster_scene, "e1", "web")
    with pytest.raises(MoveFailed, match="would be lost"):
        new_mover().go_back(gives_up_newer=False)
    with pytest.raises(MoveFailed, match="Stop these processes of the cluster first: e1"):
        new_mover().go_back(gives_up_newer=True)
    cluster_scene.client.partitions[0].hset(keys.PROCESS("e1"), "seen_at", 1)
    new_mover().go_back(gives_up_newer=True)
    check_agreement(scene.client, scene.settings)


def test_an_intake_that_an_operator_has_paused_stays_paused(
    scene: Scene, cluster_scene: Scene, new_mover: NewMover
) -> None:
    Pauses(scene.client, scene.settings).pause(INTAKE, reason="release")
    new_mover().move(wait_seconds=0)
    with pytest.raises(IntakePaused):
        cluster_scene.accept("s")
    new_mover().go_back(gives_up_newer=False)
    assert [one.reason for one in Pauses(scene.client, scene.settings).read() if one.part == INTAKE] == ["release"]


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_cluster_with_other_numbers_is_not_opened(
    scene: Scene,
    cluster_scene: Scene,
    new_mover: NewMover,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    *,
    side: str,
) -> None:
    copy = Copier.copy

    def copy_and_change(one: Copier, *, without_part: str) -> Any:
        copied = copy(one, without_part=without_part)
        if side == "source":
            server.raw.zadd(keys.TURNS("-"), {"turn_x": 1})
        else:
            cluster_scene.client.partitions[0].unlink(keys.API_KEYS.name)
        return copied

    monkeypatch.setattr(Copier, "copy", copy_and_change)
    with pytest.raises(MoveFailed, match=rf"{side} inturn:(turns:|api_keys): \d+ instead of \d+"):
        new_mover().move(wait_seconds=0)
    with pytest.raises(ConfigurationError, match="is not complete"):
        check_agreement(cluster_scene.client, cluster_scene.settings)
    monkeypatch.undo()
    assert new_mover().move(wait_seconds=0) is not None


def test_a_target_that_is_not_empty_is_refused(scene: Scene, cluster_scene: Scene, new_mover: NewMover) -> None:
    cluster_scene.accept("s")
    with pytest.raises(ConfigurationError, match=r"^--to: this Redis Cluster is not empty: it has the key inturn:\{"):
        new_mover().move(wait_seconds=0)
    assert read_mark(scene.client) is None
    assert scene.accept("s").status is Status.QUEUED


def test_files_without_a_place_and_own_limits_stop_the_move(
    scene: Scene, new_mover: NewMover, server: Server, target_settings: Settings
) -> None:
    server.raw.zadd(keys.FILES_DUE.name, {"file_1": 1})
    with pytest.raises(ConfigurationError, match=r"INTURN_FILES: the store has uploaded files \(1\)"):
        new_mover().move(wait_seconds=0)
    with_place = target_settings.model_copy(update={"files": "s3:bucket"})
    server.raw.zadd(keys.LIMITED.name, {"acme": 1})
    with pytest.raises(ConfigurationError, match="INTURN_PLACEMENT=tenant"):
        new_mover(settings_of_target=with_place).move(wait_seconds=0)
    server.raw.unlink(keys.LIMITED.name)
    assert new_mover(settings_of_target=with_place).move(wait_seconds=0) is not None


def test_of_two_processes_of_a_move_the_later_one_completes_it(
    scene: Scene, cluster_scene: Scene, new_mover: NewMover, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copier.copy

    def copy_beside_another(one: Copier, *, without_part: str) -> Any:
        copied = copy(one, without_part=without_part)
        monkeypatch.undo()
        mark = read_mark(scene.client)
        assert mark is not None
        later = new_mover()
        later._empty_target(mark)
        later._copy()
        return copied

    monkeypatch.setattr(Copier, "copy", copy_beside_another)
    with pytest.raises(MoveFailed, match="Another process moves this store too"):
        new_mover().move(wait_seconds=0)
    assert new_mover().move(wait_seconds=0) is not None


def _report(scene: Scene, name: str, kind: str) -> None:
    scene.store.report_process(name, kind=kind, proposed_id="id", needs_keys=False, fields={})
