"""A file is kept as long as a turn or a session refers to it, and no longer."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.conftest import answer_to
from tests.integration.turns.files.conftest import Scene
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import FileInUse, FileNotFound
from turns.domain.ids import session_key
from turns.edits.copies import HistoryCopies
from turns.edits.forks import Forks, Source
from turns.edits.placement import ForkPlacement
from turns.file_history.files import HistoryFiles
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.files.scripts import FileScripts


def test_an_upload_without_a_turn_is_deleted_when_due(scene: Scene) -> None:
    scene.upload()
    assert (scene.sweep(), scene.kept) == (1, set())


def test_a_fresh_upload_survives_a_sweep(scene: Scene) -> None:
    file = scene.upload()
    assert (scene.files.sweep(), scene.kept) == (0, {file.id})


def test_an_accepted_turn_keeps_its_file(scene: Scene) -> None:
    file = scene.upload()
    scene.ask(file)
    assert (scene.sweep(), scene.kept) == (0, {file.id})


def test_a_committed_file_outlives_its_turn(scene: Scene) -> None:
    file = scene.upload()
    scene.expire(scene.answer(scene.ask(file)))
    assert (scene.sweep(), scene.kept) == (0, {file.id})
    scene.expire_session()
    assert (scene.sweep(), scene.kept) == (1, set())


def test_a_cancelled_turn_drops_its_file_with_its_record(scene: Scene) -> None:
    file = scene.upload()
    turn = scene.ask(file)
    scene.store.cancel(turn.id)
    assert (scene.sweep(), scene.kept) == (0, {file.id})
    scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (1, set())


def test_the_session_keeps_the_file_of_an_interrupted_turn(scene: Scene) -> None:
    turn = scene.ask(scene.upload())
    claim = scene.claim(turn)
    scene.store.interrupt(claim, answer_to(claim), tail="")
    scene.expire(turn)
    assert scene.sweep() == 0


def test_the_files_of_an_erased_session_go_at_the_next_sweep(scene: Scene) -> None:
    shared, own = scene.upload(), scene.upload()
    scene.answer(scene.ask(shared, own))
    scene.ask(shared, session_id="other")
    scene.sessions.erase("s")
    assert (scene.files.sweep(), scene.kept) == (1, {shared.id})
    scene.sessions.erase("other")
    assert (scene.files.sweep(), scene.kept) == (1, set())


def test_a_new_session_of_the_same_name_keeps_nothing_old(scene: Scene) -> None:
    scene.expire(scene.answer(scene.ask(scene.upload())))
    scene.expire_session()
    scene.ask()
    assert scene.sweep() == 1


def test_a_turn_with_a_missing_file_is_refused(scene: Scene) -> None:
    file = scene.upload()
    scene.files.delete(file.id, tenant="-")
    with pytest.raises(FileNotFound):
        scene.ask(file)
    assert not scene.server.raw.exists(keys.SESSION("s"), keys.QUEUE("s"))


@pytest.mark.parametrize("owner", [{"tenant": "acme"}, {"user_id": "alice"}])
def test_a_file_of_another_owner_is_refused(scene: Scene, owner: dict[str, str]) -> None:
    file = scene.upload(**owner)
    with pytest.raises(FileNotFound):
        scene.ask(file)
    assert scene.ask(file, **owner).input == "look\n[image: cat.png]"


def test_a_file_without_a_user_serves_all_users(scene: Scene) -> None:
    assert scene.ask(scene.upload(), user_id="alice").parts[1].name == "cat.png"


def test_a_file_in_use_is_not_deleted(scene: Scene) -> None:
    file = scene.upload()
    scene.ask(file)
    with pytest.raises(FileInUse):
        scene.files.delete(file.id, tenant="-")
    scene.sessions.erase("s")
    scene.files.delete(file.id, tenant="-")
    with pytest.raises(FileNotFound):
        scene.files.get(file.id, tenant="-")


def test_an_unfinished_upload_cannot_be_used(scene: Scene, client: Client, settings: Settings) -> None:
    scripts, file_id = FileScripts(client, settings), "file_" + "0" * 32
    scripts.create_file(file_id, tenant="-", user_id="", size=5, max_tenant_bytes=0, fields={"name": ""})
    with pytest.raises(FileNotFound):
        scene.files.get(file_id, tenant="-")
    assert scene.sweep() == 1
    assert scripts.complete_file(file_id) == "GONE"
    assert not scene.server.raw.exists(keys.FILE(file_id))


def test_a_broken_off_deletion_is_done_by_the_next_process(scene: Scene, client: Client, settings: Settings) -> None:
    file, raw = scene.upload(), scene.server.raw
    raw.zadd(keys.FILES_DUE.name, {file.id: 1})
    assert FileScripts(client, settings).sweep_files(10) == [file.id]  # and this process dies
    assert (scene.files.sweep(), scene.kept) == (0, {file.id})
    raw.zadd(keys.FILES_REMOVED.name, {file.id: 1})
    assert (scene.files.sweep(), scene.kept) == (1, set())
    assert not raw.exists(keys.FILES_REMOVED.name, keys.FILE_BYTES.name)


def test_expired_holders_do_not_keep_a_file(scene: Scene) -> None:
    file = scene.upload()
    scene.server.raw.sadd(keys.FILE_HOLDERS(file.id), *(f"t/turn_{n}" for n in range(2500)))
    assert [scene.sweep() for _ in range(3)] == [0, 0, 1]


def test_an_adopted_session_keeps_what_was_uploaded_for_it(scene: Scene) -> None:
    file = scene.files.add(b"hello", media_type="", name="", tenant="-", session="s")
    with pytest.raises(FileNotFound):
        scene.files.get(file.id, tenant="-", session="t")
    scene.answer(scene.ask(file))
    scene.sessions.adopt_all(tenant="acme")
    assert scene.files.get(file.id, tenant="acme", session=session_key("s", None, "acme")).size_bytes == 5


def test_an_adopted_session_brings_its_files(scene: Scene) -> None:
    file = scene.upload()
    turn = scene.answer(scene.ask(file))
    scene.sessions.adopt_all(tenant="acme")
    assert scene.files.get(file.id, tenant="acme").name == "cat.png"
    with pytest.raises(FileNotFound):
        scene.files.get(file.id, tenant="-")
    scene.expire(turn)
    assert scene.sweep() == 0
    scene.sessions.erase(session_key("s", None, "acme"))
    assert scene.files.sweep() == 1
    assert not scene.server.raw.exists(keys.FILE_BYTES.name)


def test_an_edited_question_drops_the_files_of_the_old_one(scene: Scene) -> None:
    old, new = scene.upload(), scene.upload()
    first = scene.answer(scene.ask(old))
    scene.answer(scene.ask(new, regenerates=first.id))
    scene.expire(first)
    assert (scene.sweep(), scene.kept) == (1, {new.id})


def test_the_turn_and_the_session_keep_a_drawn_image(scene: Scene) -> None:
    asked, drawn = scene.upload(), scene.upload()
    turn = scene.answer(scene.ask(asked), drawn)
    assert (scene.sweep(), scene.kept) == (0, {asked.id, drawn.id})
    scene.expire_session()
    assert (scene.sweep(), scene.kept) == (0, {asked.id, drawn.id})
    scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (2, set())


def test_a_repeated_commit_counts_a_drawn_image_once(scene: Scene) -> None:
    drawn = scene.upload()
    turn = scene.ask()
    claim = scene.claim(turn)
    answer = replace(answer_to(claim), files=(drawn.id,))
    for _ in range(2):
        scene.store.commit(claim, answer, tail="")
    scene.answer(scene.ask(regenerates=turn.id))
    scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (1, set())


def test_a_regenerated_answer_drops_its_drawn_image(scene: Scene) -> None:
    asked, old, new = scene.upload(), scene.upload(), scene.upload()
    first = scene.answer(scene.ask(asked), old)
    second = scene.answer(scene.ask(asked, regenerates=first.id), new)
    for turn in (first, second):
        scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (1, {asked.id, new.id})
    scene.sessions.erase("s")
    assert (scene.sweep(), scene.kept) == (2, set())


def test_a_regenerated_answer_keeps_the_files_of_its_question(scene: Scene) -> None:
    file = scene.upload()
    first = scene.answer(scene.ask(file))
    second = scene.answer(scene.ask(file, regenerates=first.id))
    for turn in (first, second):
        scene.expire(turn)
    assert (scene.sweep(), scene.kept) == (0, {file.id})


@pytest.mark.parametrize("are_files", [False, True], ids=["list", "file"])
def test_a_fork_keeps_the_files_of_its_messages(
    scene: Scene, client: Client, settings: Settings, tmp_path: Path, *, are_files: bool
) -> None:
    if are_files:
        HistoryFiles(tmp_path / "histories").prepare()
        settings = settings.model_copy(update={"history": f"file:{tmp_path / 'histories'}"})
        scene = replace(scene, store=open_turn_store(client, settings), sessions=open_session_store(client, settings))
    early, late = scene.upload(), scene.upload()
    asked = [scene.answer(scene.ask(early)), scene.answer(scene.ask(), late), scene.answer(scene.ask(early))]
    forks = Forks(client, settings, scene.store, HistoryCopies(client, settings), ForkPlacement(client, settings))
    forks.fork(Source(session_id="s", user_id=None, turn_id=asked[1].id, before=True), "first")
    forks.fork(Source(session_id="s", user_id=None), "all")
    scene.sessions.erase("s")
    assert (scene.sweep(), scene.kept) == (0, {early.id, late.id})
    scene.sessions.erase("all")
    assert (scene.sweep(), scene.kept) == (1, {early.id})
    scene.sessions.erase("first")
    assert (scene.sweep(), scene.kept) == (1, set())
