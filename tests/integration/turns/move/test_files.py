"""Uploaded files of a store that is moved: their records move, and partitions lend them; their bytes stay."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.integration.conftest import answer_to
from tests.integration.turns.move.conftest import NewMover, Scene
from turns.backend import keys
from turns.config.settings import Settings
from turns.domain.content.parts import Part, PartType, file_ids
from turns.domain.errors import FileInUse, FilesFull
from turns.domain.turn import Turn
from turns.file_history.session_store import open_session_store
from turns.files.blobs import DirectoryBlobs
from turns.files.partitioned import open_file_store
from turns.files.store import StoredFile

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
NAMES = [f"s-{n}" for n in range(12)]


@dataclass
class Files:
    """One installation whose files are in this directory, before or after its move."""

    scene: Scene
    blobs: DirectoryBlobs

    def __post_init__(self) -> None:
        self.store = open_file_store(self.scene.client, self.scene.settings, self.blobs)
        self.sessions = open_session_store(self.scene.client, self.scene.settings)

    def upload(self) -> StoredFile:
        return self.store.add(PNG, media_type="", name="cat.png", tenant="-")

    def answer(self, session_id: str, file: StoredFile) -> Turn:
        part = Part(type=PartType.IMAGE, file_id=file.id, media_type=file.media_type)
        turn = self.scene.accept(session_id, parts=(part,))
        claim = self.scene.claim(turn)
        question = json.dumps({"files": file_ids(claim.parts)})
        self.scene.store.commit(claim, replace(answer_to(claim), question_message=question), tail="")
        return turn

    def sweep(self) -> int:
        for one in self.scene.client.partitions:
            for index in (keys.FILES_DUE, keys.FILES_REMOVED, keys.FILES_LENT):
                one.execute_command("ZUNIONSTORE", index.name, 1, one.stored_name(index.name), "WEIGHTS", 0)
        return self.store.sweep()

    @property
    def kept(self) -> set[str]:
        return set(self.blobs.list_ids())


@pytest.fixture
def with_files(target_settings: Settings, tmp_path: Path) -> Settings:
    return target_settings.model_copy(update={"files": f"file:{tmp_path}"})


def test_files_are_kept_and_deleted_as_before(
    scene: Scene, cluster_scene: Scene, with_files: Settings, new_mover: NewMover, tmp_path: Path
) -> None:
    before = Files(scene, DirectoryBlobs(tmp_path))
    shared, own = before.upload(), [before.upload() for _ in NAMES]
    before.upload()  # which no turn refers to
    turns = [before.answer(name, file) for name, file in zip(NAMES, own, strict=True)]
    before.answer(NAMES[0], shared)
    before.answer(NAMES[1], shared)
    scene.client.unlink(keys.TURN(turns[2].id))  # its record has expired, and its session has not
    copied = new_mover(settings_of_target=with_files).move(wait_seconds=0)
    assert copied is not None
    assert copied.read[keys.FILE.name] < copied.written[keys.FILE.name], "files are lent"

    after = Files(replace(cluster_scene, settings=with_files), before.blobs)
    assert after.store.get(shared.id, tenant="-") == before.store.get(shared.id, tenant="-")
    assert (after.sweep(), after.kept) == (1, {shared.id, *(file.id for file in own)})
    with pytest.raises(FileInUse):
        after.store.delete(shared.id, tenant="-")
    after.answer(NAMES[3], shared)
    for name in NAMES[:3]:
        after.sessions.erase(name)
    assert (after.sweep(), after.kept) == (3, {shared.id, *(file.id for file in own[3:])})
    for name in NAMES[3:]:
        after.sessions.erase(name)
    assert (after.sweep(), after.kept) == (10, set())


def test_the_sizes_of_a_tenants_files_are_moved(
    scene: Scene, cluster_scene: Scene, with_files: Settings, new_mover: NewMover, tmp_path: Path
) -> None:
    before = Files(scene, DirectoryBlobs(tmp_path))
    for name in NAMES:
        before.answer(name, before.upload())
    new_mover(settings_of_target=with_files).move(wait_seconds=0)
    limited = with_files.model_copy(update={"tenant_file_bytes": 13 * len(PNG)})
    after = Files(replace(cluster_scene, settings=limited), before.blobs)
    after.upload()
    with pytest.raises(FilesFull):
        after.upload()


def test_a_broken_off_deletion_is_done_in_the_cluster(
    scene: Scene, cluster_scene: Scene, with_files: Settings, new_mover: NewMover, tmp_path: Path
) -> None:
    before = Files(scene, DirectoryBlobs(tmp_path))
    file = before.upload()
    scene.client.zadd(keys.FILES_DUE.name, {file.id: 1})
    assert before.store._scripts.sweep_files(10) == [file.id]  # and this process dies
    new_mover(settings_of_target=with_files).move(wait_seconds=0)
    after = Files(replace(cluster_scene, settings=with_files), before.blobs)
    assert (after.sweep(), after.kept) == (1, set())
