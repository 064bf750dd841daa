"""Move an installation from one server into a cluster: what callers and operators see stays the same."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.turns.edits.conftest import answer_of
from tests.integration.turns.move.conftest import HINT, Scene
from tests.support.cluster.nodes import ClusterNodes
from tests.support.server import Server
from turns.access.api_keys import ApiKeyStore
from turns.access.audit_log import AuditFilter, AuditLog
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.installation import check_agreement
from turns.backend.partition.move_mark import FIELD, MoveMark, read_mark, write_mark
from turns.config.settings import Placement, Settings
from turns.domain.errors import ConfigurationError, IntakePaused, TenantBacklogFull, TurnNotFound
from turns.domain.ids import partition_of, session_key
from turns.domain.messages import Message
from turns.domain.state import Status
from turns.domain.turn import Session, Turn, TurnRequest
from turns.file_history.session_store import open_session_store
from turns.jobs.failed_turns import FailedTurns
from turns.move import copier, mover, reading
from turns.move.copier import Copier
from turns.move.mover import MoveFailed, Mover
from turns.move.reading import read_pages, read_types, scan_names
from turns.operations.queries import OperatorQueries
from turns.pauses.part import INTAKE, Part, PauseKind
from turns.pauses.pauses import Pauses
from turns.store.sessions import SessionStore
from turns.tenants.limits import OwnLimits
from turns.tenants.tenants import Tenants
from turns.usage.report import Dimension, UsageQuery
from turns.usage.store import UsageStore
from turns.users.commands import open_erasures

NewMover = Callable[..., Mover]


@pytest.fixture
def cluster_scene(target: Client, target_settings: Settings) -> Scene:
    return Scene.of(target, target_settings)


def view(scene: Scene) -> dict[str, Any]:
    """Return what callers and operators see of an installation."""
    client, settings, store = scene.client, scene.settings, scene.store
    sessions = open_session_store(client, settings)
    usage, audit_log = UsageStore(client, settings), AuditLog(client)
    usage.fold()
    turns = [turn for tenant in ("-", "acme") for turn in store.list_turns(tenant=tenant, limit=100).turns]
    listed = sessions.list_sessions(after=None, limit=100).sessions
    today = datetime.now(UTC).date()
    query = UsageQuery(first_day=today - timedelta(days=1), last_day=today + timedelta(days=1), by=(Dimension.USER,))
    metrics = store.read_metrics()
    return {
        "turns": sorted(map(repr, turns)),
        "each": sorted(repr(store.get_turn(turn.id, tenant=turn.tenant)) for turn in turns),
        "of a user": sorted(turn.id for turn in store.list_turns(user_id="alice", limit=100).turns),
        "of a session": [turn.id for turn in store.list_turns(session="done-1", limit=100).turns],
        "sessions": sorted(map(repr, listed)),
        "messages": {one.session_id: repr(_messages(sessions, one)) for one in listed},
        "of users": sorted(sessions.list_user_names("alice", after="", limit=100)),
        "failed": FailedTurns(client, store, AssistantRegistry(settings).find).count_failed(),
        "usage": sorted(repr(row) for row in usage.read(query).rows),
        "counters": {name: dict(values) for name, values in metrics.counters.items() if name != "repaired"},
        "gauges": {name: metrics.gauges[name] for name in ("live_turns", "failed_turns") if name in metrics.gauges},
        "live": sorted(turn.id for turn in OperatorQueries(client, settings).read_live_turns().turns),
        "holds": [(hold.name, hold.held_turns) for hold in OperatorQueries(client, settings).read_holds()],
        "pauses": [(str(one.part), one.reason, one.waiting_turns) for one in Pauses(client, settings).read()],
        "keys": [asdict(key) for key in ApiKeyStore(client).list_all()],
        "audit": [entry.action for entry in audit_log.read(AuditFilter(), limit=100).entries],
        "erased": [str(one) for one in open_erasures(client, settings).list_tombstones()],
    }


def _messages(sessions: SessionStore, session: Session) -> Sequence[Message]:
    key = session_key(session.session_id, session.user_id)
    return sessions.list_messages(key, after=None, limit=100, newest_first=False).messages


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
    Pauses(cluster_scene.client, cluster_scene.settings).resume(Part(kind=PauseKind.TENANT, name="acme"))
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


def test_uploaded_files_and_own_limits_stop_the_move(scene: Scene, new_mover: NewMover, server: Server) -> None:
    server.raw.zadd(keys.FILES_DUE.name, {"file_1": 1})
    with pytest.raises(ConfigurationError, match="uploaded files"):
        new_mover().move(wait_seconds=0)
    server.raw.zadd(keys.LIMITED.name, {"acme": 1})
    with pytest.raises(ConfigurationError, match="INTURN_PLACEMENT=tenant"):
        new_mover().move(wait_seconds=0, without_files=True)
    server.raw.unlink(keys.LIMITED.name)
    copied = new_mover().move(wait_seconds=0, without_files=True)
    assert copied is not None
    assert copied.left[keys.FILES_DUE.name, "a cluster has no uploaded files"] == 1


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


def test_a_value_of_another_program_is_left_and_named(scene: Scene, new_mover: NewMover, server: Server) -> None:
    server.raw.set(keys.QUEUE("x"), "mine")
    server.raw.set("inturn:mine", "mine")
    copied = new_mover().move(wait_seconds=0)
    assert copied is not None
    assert copied.left[keys.QUEUE.name, "the value of another program"] == 1
    assert copied.left["other keys", "this release has no such keys"] == 1


OF_THE_MOVE = {FIELD.encode(), str(INTAKE).encode()}  # the mark, and the index entry of the pause, have random values


class Killed(BaseException):
    """The process of the move ends between two commands."""


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], Callable[[], int]]:
    """Return a function that lets this many commands through; it returns a function that counts them."""
    sent = 0
    limit: int | None = None

    def counted(method: Any) -> Any:
        def send(client: Client, *args: Any, **options: Any) -> Any:
            nonlocal sent
            if type(client) is Client:  # the one that has the connection
                sent += 1
                if limit is not None and sent > limit:
                    raise Killed
            return method(client, *args, **options)

        return send

    for name in ("execute_command", "execute_many", "read_hashes"):
        monkeypatch.setattr(Client, name, counted(getattr(Client, name)))

    def kill_after(commands: int | None) -> Callable[[], int]:
        nonlocal sent, limit
        sent, limit = 0, commands
        return lambda: sent

    return kill_after


def test_a_move_that_is_killed_anywhere_can_be_repeated(
    scene: Scene,
    target: Client,
    new_mover: NewMover,
    kill_after: Callable[[int | None], Callable[[], int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "KEYS_AT_ONCE", 10)  # so that the copy has many steps
    monkeypatch.setattr(copier, "ITEMS_AT_ONCE", 10)
    count = kill_after(None)
    new_mover().move(wait_seconds=0)
    steps, expected = count(), content(target)
    assert expected
    new_mover().go_back(gives_up_newer=False)
    assert content(target) == {}
    killed = 0
    for step in range(0, steps, steps // 10):
        kill_after(step)
        try:
            new_mover().move(wait_seconds=0)
        except Killed:
            killed += 1
        kill_after(None)
        new_mover().move(wait_seconds=0)
        assert content(target) == expected, f"killed after {step} of {steps} commands"
        new_mover().go_back(gives_up_newer=False)
    assert killed >= 9
    check_agreement(scene.client, scene.settings)


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_at_no_moment_both_stores_are_served(
    scene: Scene, target: Client, new_mover: NewMover, monkeypatch: pytest.MonkeyPatch, *, number: int, is_written: bool
) -> None:
    written = 0

    def write_mark_or_die(client: Client, mark: MoveMark) -> None:
        nonlocal written
        written += 1
        if written < number or is_written:
            write_mark(client, mark)
        if written == number:
            raise Killed

    monkeypatch.setattr(mover, "write_mark", write_mark_or_die)
    with pytest.raises(Killed):
        new_mover().move(wait_seconds=0)
    is_complete = (number, is_written) == (3, True)
    assert _is_served(target.partitions[0]) is (number == 1 or is_complete)  # at first it is empty
    assert _is_served(scene.client) is ((number, is_written) == (1, False))
    monkeypatch.undo()
    assert (new_mover().move(wait_seconds=0) is None) is (number == 3 or (number, is_written) == (2, True))
    assert _is_served(target.partitions[0])
    assert not _is_served(scene.client)


def content(target: Client) -> dict[tuple[int, str], Any]:
    """Return all keys of all partitions with type, expiry and items, without what is random in a move."""
    found: dict[tuple[int, str], Any] = {}
    for number, one in enumerate(target.partitions):
        for names in scan_names(one):
            for pages in read_pages(one, read_types(one, names)):
                for page in pages:
                    items = [item for item in page.items if item[0] not in OF_THE_MOVE]
                    found[number, page.name] = (page.type, page.expires_at, sorted(items, key=repr))
    return found


def _is_served(client: Client) -> bool:
    mark = read_mark(client)
    return mark is None or mark.problem is None


def _report(scene: Scene, name: str, kind: str) -> None:
    scene.store.report_process(name, kind=kind, proposed_id="id", needs_keys=False, fields={})


def _request_of(turn: Turn, **more: Any) -> Any:
    return TurnRequest(session_id=turn.session_id, user_id=turn.user_id, input=turn.input, **more)


def _sessions(scene: Scene) -> Any:
    return open_session_store(scene.client, scene.settings).list_sessions(after=None, limit=100).sessions
