"""Uploads: their types, their limits, and a disk that fails."""

from pathlib import Path

import pytest

from tests.integration.turns.files.conftest import PNG, Scene
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import FileNotFound, FilesFull, FilesUnavailable, FileTypeRefused
from turns.files.blobs import DirectoryBlobs, open_blobs
from turns.files.partitioned import open_file_store


def test_a_stored_file_is_read_back(scene: Scene) -> None:
    file = scene.files.get(scene.upload().id, tenant="-")
    assert b"".join(scene.files.chunks(file)) == PNG
    assert (file.media_type, file.size_bytes, file.user_id) == ("image/png", len(PNG), None)


@pytest.mark.parametrize("media_type", ["image/jpeg", "text/plain", "text/html", "application/pdf"])
def test_a_content_of_another_type_is_refused(scene: Scene, media_type: str) -> None:
    with pytest.raises(FileTypeRefused):
        scene.files.add(PNG, media_type=media_type, name="cat.png", tenant="-")
    assert not scene.server.raw.exists(keys.FILES_DUE.name)


def test_the_files_of_a_tenant_are_limited(client: Client, settings: Settings, scene: Scene) -> None:
    limited = settings.model_copy(update={"tenant_file_bytes": 2 * len(PNG)})
    files = open_file_store(client, limited, scene.blobs)
    first, _ = (files.add(PNG, media_type="", name="", tenant="-") for _ in range(2))
    with pytest.raises(FilesFull):
        files.add(PNG, media_type="", name="", tenant="-")
    files.add(PNG, media_type="", name="", tenant="acme")
    files.delete(first.id, tenant="-")
    files.add(PNG, media_type="", name="", tenant="-")


def test_a_disk_that_fails_refuses_the_upload(client: Client, settings: Settings, tmp_path: Path, scene: Scene) -> None:
    (tmp_path / "no-directory").write_bytes(b"")
    files = open_file_store(client, settings, DirectoryBlobs(tmp_path / "no-directory"))
    with pytest.raises(FilesUnavailable):
        files.add(PNG, media_type="", name="", tenant="-")
    [file_id] = scene.server.raw.zrange(keys.FILES_REMOVED.name, 0, -1)  # so that the sweep removes what may be there
    with pytest.raises(FileNotFound):
        files.get(file_id.decode(), tenant="-")
    assert not scene.server.raw.exists(keys.FILE_BYTES.name, keys.FILES_DUE.name), "the tenant's limit counts nothing"


def test_a_file_that_cannot_be_deleted_does_not_keep_others(scene: Scene) -> None:
    ids = sorted(scene.upload().id for _ in range(3))
    bad = scene.blobs.path_of(ids[0])
    bad.unlink()
    bad.mkdir()  # which cannot be unlinked, like a file on a bad sector
    with pytest.raises(FilesUnavailable):
        scene.sweep()
    assert scene.kept == {ids[0]}
    bad.rmdir()
    scene.server.raw.zadd(keys.FILES_REMOVED.name, {ids[0]: 1})
    assert scene.sweep() == 1
    assert not scene.server.raw.exists(keys.FILES_REMOVED.name)


def test_a_service_can_take_no_files(client: Client, settings: Settings) -> None:
    off = settings.model_copy(update={"files": "off"})
    with pytest.raises(FileTypeRefused, match="takes no files"):
        open_file_store(client, off, open_blobs(off)).add(PNG, media_type="", name="", tenant="-")
    assert not client.exists(keys.FILES_DUE.name)
