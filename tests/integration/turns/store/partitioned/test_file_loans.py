"""Files over 24 partitions: a turn refers to a file that has its record in another partition."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import answer_to
from tests.integration.turns.store.partitioned.conftest import SESSIONS
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.placement import Partitions
from turns.backend.script_replies import Reply
from turns.config.settings import Placement, Settings
from turns.domain.content.parts import Part, PartType, file_ids
from turns.domain.errors import FileInUse, FileNotFound, FilesFull, StoreUnavailable
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.files.blobs import DirectoryBlobs
from turns.files.partitioned import PartitionedFileStore, open_file_store
from turns.files.scripts import FileScripts
from turns.files.store import StoredFile
from turns.store.partitioned.file_loans import LoanScripts
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
ALL = [f"s-{n}" for n in range(SESSIONS)]
STEPS = ("borrow_file", "lend_file", "keep_file")
FILE_KEYS = (keys.FILE, keys.FILE_HOLDERS, keys.FILES_DUE, keys.FILES_REMOVED, keys.FILES_LENT, keys.FILE_BYTES)


@dataclass
class Scene:
    """What callers, workers and time do to the files of a cluster."""

    client: Client
    settings: Settings
    store: PartitionedTurnStore
    sessions: PartitionedSessionStore
    blobs: DirectoryBlobs
    partitions: Partitions = field(init=False)
    files: PartitionedFileStore = field(init=False)

    def __post_init__(self) -> None:
        self.partitions = Partitions.of(self.settings)
        files = open_file_store(self.client, self.settings, self.blobs)
        assert isinstance(files, PartitionedFileStore)
        self.files = files

    def upload(self, near: str | None = "s-0", **more: str) -> StoredFile:
        return self.files.add(PNG, media_type="", name="cat.png", tenant="-", near=near, **more)

    def ask(self, session_id: str, *files: StoredFile, user_id: str | None = None) -> Turn:
        parts = [Part(type=PartType.IMAGE, file_id=file.id, media_type=file.media_type) for file in files]
        request = TurnRequest(session_id=session_id, input="look", parts=tuple(parts), user_id=user_id)
        return self.store.accept(request).turn

    def answer(self, turn: Turn) -> Turn:
        claim = self.store.claim(turn.id, worker="w", model="m")
        assert claim
        question = json.dumps({"files": file_ids(claim.parts)})
        self.store.commit(claim, replace(answer_to(claim), question_message=question), tail="")
        return turn

    def expire(self, turn: Turn) -> None:
        """Delete the record of an ended turn, as the store does after the result retention."""
        self.client.partitions[self.partitions.of_turn(turn.id)].unlink(keys.TURN(turn.id))

    def expire_session(self, session: str) -> None:
        one = self.client.partitions[self.partitions.of_session(session)]
        one.unlink(keys.SESSION(session), keys.HISTORY(session))

    def sweep(self) -> int:
        """Sweep as if each check were due."""
        for one in self.client.partitions:
            for index in (keys.FILES_DUE, keys.FILES_REMOVED, keys.FILES_LENT):
                one.execute_command("ZUNIONSTORE", index.name, 1, one.stored_name(index.name), "WEIGHTS", 0)
        return self.files.sweep()

    def is_apart(self, session: str, other: str = "s-0") -> bool:
        return self.partitions.of_session(session) != self.partitions.of_session(other)

    @property
    def kept(self) -> set[str]:
        return set(self.blobs.list_ids())

    @property
    def left(self) -> set[str]:
        """The keys of files in all partitions."""
        patterns = [f"{key.name}*" if key.name.endswith(":") else key.name for key in FILE_KEYS]
        return {n.decode() for one in self.client.partitions for p in patterns for n in one.scan_iter(match=p)}


@pytest.fixture
def scene(
    client: Client,
    settings: Settings,
    store: PartitionedTurnStore,
    sessions: PartitionedSessionStore,
    tmp_path: Path,
) -> Scene:
    return Scene(client, settings, store, sessions, DirectoryBlobs(tmp_path / "files"))


@pytest.fixture
def other(scene: Scene) -> str:
    """Return a session in another partition than that of `s-0`, near which files are uploaded."""
    return next(session for session in ALL if scene.is_apart(session))


def break_at(monkeypatch: pytest.MonkeyPatch, step: str, *, is_done: bool) -> None:
    """Let the process that makes a loan die at this step."""
    work: Callable[..., object] = getattr(LoanScripts, step)

    def die(*args: object, **named: object) -> None:
        if is_done:
            work(*args, **named)
        raise StoreUnavailable("the process is dead")

    monkeypatch.setattr(LoanScripts, step, die)


def test_a_file_serves_sessions_of_all_partitions(scene: Scene) -> None:
    file = scene.upload()
    turns = [scene.answer(scene.ask(session, file)) for session in ALL]
    for turn in turns:
        scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (0, {file.id})
    for session in ALL[1:]:
        scene.sessions.erase(session)
    assert (scene.sweep(), scene.kept) == (0, {file.id})
    scene.sessions.erase(ALL[0])
    assert (scene.files.sweep(), scene.kept, scene.left) == (1, set(), set())


def test_an_upload_for_a_session_is_in_its_partition(scene: Scene) -> None:
    file = scene.files.add(PNG, media_type="", name="", tenant="-", session="s-7")
    assert scene.partitions.of_file(file.id) == scene.partitions.of_session("s-7")
    scene.ask("s-7", file)
    assert not any("files_lent" in name for name in scene.left)
    with pytest.raises(FileNotFound):
        scene.files.get(file.id, tenant="-", session="s-8")


def test_uploads_without_a_session_spread(scene: Scene) -> None:
    files = [scene.upload(near=None) for _ in range(100)]
    assert len({scene.partitions.of_file(file.id) for file in files}) > 12
    assert b"".join(scene.files.chunks(scene.files.get(files[0].id, tenant="-"))) == PNG
    assert (scene.sweep(), scene.kept, scene.left) == (100, set(), set())


def test_an_upload_without_a_session_avoids_an_away_node(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    create = FileScripts.create_file

    def create_elsewhere(one: FileScripts, *args: Any, **named: Any) -> Any:
        if one._client.partition_number in range(8):
            raise StoreUnavailable("away")
        return create(one, *args, **named)

    monkeypatch.setattr(FileScripts, "create_file", create_elsewhere)
    assert {scene.partitions.of_file(scene.upload(near=None).id) // 8 for _ in range(30)} == {1, 2}
    with pytest.raises(StoreUnavailable):
        scene.upload(near=next(session for session in ALL if scene.partitions.of_session(session) < 8))


def test_a_tenant_in_one_partition_lends_nothing(
    client: Client, settings: Settings, sessions: PartitionedSessionStore, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"placement": Placement.TENANT})
    store = PartitionedTurnStore(client, settings)
    scene = Scene(client, settings, store, sessions, DirectoryBlobs(tmp_path / "files"))
    for session in ALL[:10]:
        scene.ask(session, scene.upload(near=None))
    assert not any("files_lent" in name for name in scene.left)


def test_an_expired_session_gives_its_file_back(scene: Scene, other: str) -> None:
    file = scene.upload()
    turn = scene.answer(scene.ask(other, file))
    scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (0, {file.id})
    scene.expire_session(other)
    assert (scene.sweep(), scene.kept, scene.left) == (1, set(), set())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_done", [False, True])
def test_a_loan_that_breaks_off_leaves_nothing(
    scene: Scene, other: str, monkeypatch: pytest.MonkeyPatch, *, step: str, is_done: bool
) -> None:
    file = scene.upload()
    with monkeypatch.context() as broken:
        break_at(broken, step, is_done=is_done)
        with pytest.raises(StoreUnavailable):
            scene.ask(other, file)
    assert scene.sweep() == 1
    assert (scene.sweep(), scene.kept, scene.left) == (0, set(), set())


@pytest.mark.parametrize("step", STEPS)
def test_a_loan_that_broke_off_is_made_by_the_next_try(
    scene: Scene, other: str, monkeypatch: pytest.MonkeyPatch, *, step: str
) -> None:
    file = scene.upload()
    with monkeypatch.context() as broken:
        break_at(broken, step, is_done=True)
        with pytest.raises(StoreUnavailable):
            scene.ask(other, file)
    turn = scene.ask(other, file)
    assert (scene.sweep(), scene.kept) == (0, {file.id})
    scene.store.cancel(turn.id)
    scene.sessions.erase(other)
    assert (scene.files.sweep(), scene.kept, scene.left) == (1, set(), set())


def test_a_late_borrower_gets_no_file(scene: Scene, client: Client, settings: Settings, other: str) -> None:
    file, number = scene.upload(), scene.partitions.of_session(other)
    owner = LoanScripts(client.partitions[scene.partitions.of_file(file.id)], settings)
    borrower = LoanScripts(client.partitions[number], settings)
    scene.ask("s-0", file)
    assert borrower.borrow_file(file.id, "slow") == "slow"
    assert scene.sweep() == 0, "the turn of the owner keeps the file"
    assert owner.lend_file(file.id, number, "slow") == ("-", "")
    assert borrower.keep_file(file.id, "slow", tenant="-", user_id="") is Reply.GONE
    scene.sessions.erase("s-0")
    scene.files.sweep()
    assert scene.kept == {file.id}, "the loan of the dead borrower is not checked yet"
    assert (scene.sweep(), scene.kept, scene.left) == (1, set(), set())


def test_a_late_return_ends_no_newer_loan(scene: Scene, client: Client, settings: Settings, other: str) -> None:
    file, number = scene.upload(), scene.partitions.of_session(other)
    owner = FileScripts(client.partitions[scene.partitions.of_file(file.id)], settings)
    first = LoanScripts(client.partitions[number], settings).borrow_file(file.id, "first")
    scene.ask("s-0", file)
    scene.sweep()
    scene.ask(other, file)
    owner.return_files([f"{file.id}/{number}/{first}"])
    scene.sessions.erase("s-0")
    assert (scene.sweep(), scene.kept) == (0, {file.id})


def test_what_an_owner_that_is_away_gets_back_is_not_lost(
    scene: Scene, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scene.upload()
    scene.ask(other, file)
    scene.sessions.erase(other)

    def is_away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as away:
        away.setattr(FileScripts, "return_files", is_away)
        assert (scene.sweep(), scene.kept) == (0, {file.id})
    assert (scene.sweep(), scene.kept, scene.left) == (1, set(), set())


@pytest.mark.parametrize("deletes", [False, True])
def test_a_removal_that_no_replica_has_ends_no_loan(scene: Scene, other: str, *, deletes: bool) -> None:
    """Otherwise a fail-over of the borrower could bring a record back without its loan, and turns would rely on it."""
    file = scene.upload()
    scene.ask(other, file)
    scene.sessions.erase(other)
    safe = open_file_store(scene.client, scene.settings.model_copy(update={"replicas": 1}), scene.blobs)
    with pytest.raises(StoreUnavailable, match="replicas"):
        safe.delete(file.id, tenant="-") if deletes else safe.sweep()
    assert scene.kept == {file.id}
    owner = scene.client.partitions[scene.partitions.of_file(file.id)]
    assert owner.exists(keys.FILE_HOLDERS(file.id))
    assert (scene.sweep(), scene.kept, scene.left) == (1, set(), set())


def test_a_turn_with_a_deleted_file_is_refused(scene: Scene, other: str) -> None:
    file = scene.upload()
    scene.files.delete(file.id, tenant="-")
    with pytest.raises(FileNotFound):
        scene.ask(other, file)
    assert (scene.sweep(), scene.kept, scene.left) == (0, set(), set())


def test_another_users_file_is_refused(scene: Scene, other: str) -> None:
    file = scene.upload(user_id="alice")
    with pytest.raises(FileNotFound):
        scene.ask(other, file)
    alice = next(n for n in ALL if scene.partitions.of_session(f"-/alice/{n}") != scene.partitions.of_file(file.id))
    assert scene.ask(alice, file, user_id="alice").parts[0].file_id == file.id


def test_a_lent_file_is_deleted_when_nothing_uses_it(scene: Scene, other: str) -> None:
    file = scene.upload()
    scene.ask(other, file)
    with pytest.raises(FileInUse):
        scene.files.delete(file.id, tenant="-")
    scene.sessions.erase(other)
    scene.files.delete(file.id, tenant="-")
    assert scene.kept == set()
    assert (scene.sweep(), scene.left) == (0, set())


@pytest.mark.parametrize("step", STEPS)
def test_a_loan_that_broke_off_does_not_keep_a_file(
    scene: Scene, other: str, monkeypatch: pytest.MonkeyPatch, *, step: str
) -> None:
    file = scene.upload(user_id="alice")
    with monkeypatch.context() as broken:
        break_at(broken, step, is_done=True)
        with pytest.raises(StoreUnavailable):
            scene.ask(other, file)
    scene.files.delete(file.id, tenant="-", user_id="alice")
    assert scene.kept == set()
    assert (scene.sweep(), scene.left) == (0, set())


def test_the_limit_of_a_tenant_counts_all_partitions(scene: Scene) -> None:
    limited = scene.settings.model_copy(update={"tenant_file_bytes": 3 * len(PNG)})
    files = open_file_store(scene.client, limited, scene.blobs)
    for session in ALL[:3]:
        files.add(PNG, media_type="", name="", tenant="-", near=session)
    for session in ALL[:10]:
        with pytest.raises(FilesFull):
            files.add(PNG, media_type="", name="", tenant="-", near=session)
    files.add(PNG, media_type="", name="", tenant="acme", near=ALL[0])


@pytest.mark.parametrize("seed", range(3))
def test_no_interleaving_of_crashes_loses_or_leaves_a_file(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, seed: int
) -> None:
    """Compare what is on the disk with the files of live sessions, after random uploads, turns, erasures and sweeps."""
    chance, held, uploaded = random.Random(seed), dict[str, set[str]](), list[StoredFile]()
    for _ in range(120):
        session = chance.choice(ALL[:8])
        match chance.randrange(6):
            case 0:
                uploaded.append(scene.upload(near=chance.choice([None, *ALL[:8]])))
            case 1 | 2 if uploaded:
                file = chance.choice(uploaded[-4:])
                try:
                    with monkeypatch.context() as broken:
                        if chance.random() < 0.4:
                            break_at(broken, chance.choice(STEPS), is_done=chance.random() < 0.5)
                        scene.ask(session, file)
                    held.setdefault(session, set()).add(file.id)
                except (StoreUnavailable, FileNotFound):
                    pass
            case 3:
                scene.sessions.erase(session)
                held.pop(session, None)
            case 4:
                scene.files.sweep()
            case 5:
                scene.sweep()
                assert scene.kept == set().union(*held.values())
    for session in ALL[:8]:
        scene.sessions.erase(session)
    scene.sweep()
    scene.sweep()
    assert (scene.kept, scene.left) == (set(), set())
