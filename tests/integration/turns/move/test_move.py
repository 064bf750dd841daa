"""After a move from one server into a cluster, callers and operators see what they saw before."""

from collections import Counter
from typing import Any

import pytest

from tests.integration.turns.edits.conftest import answer_of
from tests.integration.turns.move.conftest import HINT, NewMover, Scene
from tests.integration.turns.move.view import view
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Placement, Settings
from turns.domain.errors import ConfigurationError, TenantBacklogFull, TurnNotFound
from turns.domain.ids import partition_of
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.file_history.session_store import open_session_store
from turns.pauses.part import PauseKind, ServicePart
from turns.pauses.pauses import Pauses
from turns.tenants.limits import OwnLimits
from turns.tenants.tenants import Tenants


def run_waiting_turns(scene: Scene) -> list[str]:
    """Run each turn that can be claimed, as workers would; return the texts of the sessions `waits-…` in order."""
    texts = []
    for _ in range(3):
        scene.store.rescue(worker="w", hint=HINT)
        for hint in _hints(scene.client):
            claim = scene.store.claim(hint.decode(), worker="w", model="m")
            if claim is None:
                continue
            texts.append(claim.input)
            scene.store.emit([claim.delta(0, "answer")])
            assert scene.store.renew([claim]) == []
            scene.store.commit(claim, answer_of(claim, "answer"), tail="", keeps_events=False)
    return texts


def _hints(client: Client) -> list[bytes]:
    return [hint for one in client.partitions for hint in one.execute_command("LRANGE", keys.HINTS.name, 0, -1)]


def test_callers_and_operators_see_the_same_as_before(scene: Scene, cluster_scene: Scene, new_mover: NewMover) -> None:
    before = view(scene)
    copied = new_mover().move(wait_seconds=0)
    assert copied is not None
    assert copied.written[keys.TURNS.name] == len(before["turns"])
    after = view(cluster_scene)
    assert len(before["turns"]) > 30
    for name, seen in before.items():
        assert after[name] == seen, name


def test_turns_that_waited_run_in_the_cluster_in_their_order(
    scene: Scene, cluster_scene: Scene, new_mover: NewMover
) -> None:
    live = {turn.id for turn in scene.store.list_turns(status=Status.QUEUED, limit=100).turns}
    new_mover().move(wait_seconds=0)
    texts = run_waiting_turns(cluster_scene)
    assert Counter(texts)["first"] == Counter(texts)["second"] == 6
    still = {turn.session_id for turn in cluster_scene.store.list_turns(status=Status.QUEUED, limit=100).turns}
    assert still == {"held", "retried"}
    ended = {turn_id for turn_id in live if cluster_scene.store.get_turn(turn_id).status is Status.COMPLETED}
    assert len(ended) == len(live) - len(still)
    for number in range(6):
        [session] = [s for s in _sessions(cluster_scene) if s.session_id == f"waits-{number}"]
        assert session.message_count == 4


def test_old_and_new_turns_of_a_session_are_changed_alike(
    scene: Scene, cluster_scene: Scene, new_mover: NewMover
) -> None:
    new_mover().move(wait_seconds=0)
    [old] = cluster_scene.store.list_turns(session="done-2", limit=10).turns
    repeated = cluster_scene.store.accept(_request_of(old, idempotency_key="k-2"))
    assert (repeated.turn.id, repeated.replayed) == (old.id, True)
    new = cluster_scene.complete("done-2")
    assert (partition_of(old.id), partition_of(new.id)) == (None, cluster_scene.client.find_partition(old.id))
    assert new.sequence == old.sequence + 1
    cluster_scene.delete(new.id)
    cluster_scene.delete(old.id)
    cluster_scene.delete(old.id)  # the repeated request finds the trace of the first one
    with pytest.raises(TurnNotFound):
        cluster_scene.store.get_turn(old.id)


def test_a_repeated_deletion_from_before_the_move_is_known(
    scene: Scene, cluster_scene: Scene, new_mover: NewMover, server: Server
) -> None:
    [name] = server.raw.keys(keys.DELETED("*"))
    new_mover().move(wait_seconds=0)
    cluster_scene.delete(name.decode().removeprefix(keys.DELETED.name))


def test_pauses_and_holds_end_in_the_cluster(scene: Scene, cluster_scene: Scene, new_mover: NewMover) -> None:
    new_mover().move(wait_seconds=0)
    Pauses(cluster_scene.client, cluster_scene.settings).resume(ServicePart(kind=PauseKind.TENANT, name="acme"))
    cluster_scene.store.rescue(worker="w", hint=HINT)  # as a worker does at its start
    assert cluster_scene.store.lift_hold("slow")
    assert len(run_waiting_turns(cluster_scene)) >= 2
    assert {turn.session_id for turn in cluster_scene.store.list_turns(status=Status.QUEUED, limit=9).turns} == {
        "retried"
    }


def test_the_lifetime_of_each_key_stays(scene: Scene, new_mover: NewMover, server: Server, target: Client) -> None:
    new_mover().move(wait_seconds=0)
    families = (keys.TURN, keys.SESSION, keys.HISTORY, keys.IDEMPOTENCY, keys.ERASED_USER, keys.DELETED)
    for key in families:
        names = [name.decode() for name in server.raw.scan_iter(f"{key.name}*")]
        assert names
        for name in names:
            found = [one.execute_command("PEXPIRETIME", name) for one in target.partitions]
            assert [at for at in found if at != -2] == [server.raw.execute_command("PEXPIRETIME", name)], name


def test_turns_of_killed_workers_are_queued_again(scene: Scene, cluster_scene: Scene, new_mover: NewMover) -> None:
    turns = [scene.accept(f"killed-{number}") for number in range(2)]
    for number, turn in enumerate(turns):
        scene.claim(turn, worker=f"killed-{number}")
    new_mover().move(wait_seconds=0)
    assert {cluster_scene.store.get_turn(turn.id).status for turn in turns} == {Status.QUEUED}


def test_limits_of_tenants_are_kept_with_their_placement(
    scene: Scene, target_settings: Settings, new_mover: NewMover, target: Client
) -> None:
    Tenants(scene.client, scene.settings).set_limits("acme", OwnLimits(backlog=3, tokens_per_day=10**6, reason="trial"))
    by_tenant = target_settings.model_copy(update={"placement": Placement.TENANT})
    with pytest.raises(ConfigurationError, match="Tenants with own limits: 1"):
        new_mover().move(wait_seconds=0)
    new_mover(settings_of_target=by_tenant).move(wait_seconds=0)
    cluster_scene = Scene.of(target, by_tenant)
    own = Tenants(target, by_tenant).get_tenant("acme").own
    assert own is not None
    assert (own.backlog, own.tokens_per_day, own.reason) == (3, 10**6, "trial")
    for number in range(2):
        cluster_scene.accept(f"acme-{number}", tenant="acme")
    with pytest.raises(TenantBacklogFull):
        cluster_scene.accept("acme-2", tenant="acme")
    cluster_scene.accept("of another tenant", tenant="other")


def test_a_value_of_another_program_is_left_and_named(scene: Scene, new_mover: NewMover, server: Server) -> None:
    server.raw.set(keys.QUEUE("x"), "mine")
    server.raw.set("inturn:mine", "mine")
    copied = new_mover().move(wait_seconds=0)
    assert copied is not None
    assert copied.left[keys.QUEUE.name, "the value of another program"] == 1
    assert copied.left["other keys", "this release has no such keys"] == 1


def _request_of(turn: Turn, **more: Any) -> Any:
    return TurnRequest(session_id=turn.session_id, user_id=turn.user_id, input=turn.input, **more)


def _sessions(scene: Scene) -> Any:
    return open_session_store(scene.client, scene.settings).list_sessions(after=None, limit=100).sessions
