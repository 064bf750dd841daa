import json
import os
from itertools import product
from pathlib import Path

import pytest

from turns.domain.errors import ConfigurationError, HistoryUnusable
from turns.domain.ids import session_key
from turns.file_history.files import HistoryFiles

OLD, NEW = "a" * 32, "b" * 32


@pytest.fixture
def files(tmp_path: Path) -> HistoryFiles:
    files = HistoryFiles(tmp_path / "histories")
    files.prepare()
    return files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the file of session `s`."""
    return tmp_path / "histories" / "-" / "s.json"


def test_a_version_becomes_the_file_when_it_is_published(files: HistoryFiles, file: Path) -> None:
    files.stage("s", NEW, ['"one"', b'"two"'])
    assert files.read_messages("s") is None
    assert files.read_messages("s", NEW) == [b'"one"', b'"two"']
    files.publish("s", NEW)
    files.publish("s", NEW)
    assert json.loads(file.read_text()) == ["one", "two"]
    assert files.read_messages("s", NEW) == files.read_messages("s"), "the published file replaces the version"


def test_a_discarded_version_leaves_the_file(files: HistoryFiles, file: Path) -> None:
    files.stage("s", OLD, ['"one"'])
    files.publish("s", OLD)
    files.stage("s", NEW, ['"two"'])
    files.discard("s", NEW)
    files.discard("s", NEW)
    assert os.listdir(file.parent) == ["s.json"]
    assert files.read_messages("s", NEW) == [b'"one"']


@pytest.mark.parametrize("text", [b"[", b"{}", b"\xff", b"[" * 100_000])
def test_a_file_that_is_not_a_json_array_is_unusable(files: HistoryFiles, file: Path, text: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(text)
    with pytest.raises(HistoryUnusable):
        files.read_messages("s")


def test_the_files_of_a_session_are_those_of_no_other_session(files: HistoryFiles) -> None:
    for session in ("s", "s.json", "t", f"s.json.{OLD}"):
        files.stage(session, OLD, [])
        files.publish(session, OLD)
        files.stage(session, NEW, [])
    assert set(files.list_files("s")) == {"s.json", f"s.json.{NEW}"}
    assert set(files.list_files("s.json")) == {"s.json.json", f"s.json.json.{NEW}"}
    assert files.list_files("unknown") == files.list_files(session_key("s", "nobody")) == {}


def test_a_file_that_replaced_another_is_not_removed(files: HistoryFiles, file: Path) -> None:
    files.stage("s", OLD, ['"old"'])
    files.publish("s", OLD)
    before = files.list_files("s")
    files.stage("s", NEW, ['"new"'])
    files.publish("s", NEW)
    files.remove_files("s", before)
    assert json.loads(file.read_text()) == ["new"]
    files.remove_files("s", files.list_files("s"))
    assert not file.exists()


def test_only_old_versions_of_sessions_are_stale(files: HistoryFiles, tmp_path: Path) -> None:
    root = tmp_path / "histories"
    sessions = [session_key("s", user, tenant) for user in (None, "alice") for tenant in ("-", "acme")]
    for session in sessions:
        files.stage(session, OLD, [])
    (root / "a" / "b" / "c").mkdir(parents=True)
    for foreign in (root / f"s.json.{OLD}", root / "a" / "b" / "c" / f"s.json.{OLD}", root / "a" / "s.json.bak"):
        foreign.touch()
    for path in root.rglob("*.json.*"):
        os.utime(path, (0, 0))
    files.stage("s", NEW, [])
    assert set(files.find_stale_versions(older_than_seconds=60)) == {(session, OLD) for session in sessions}


def test_long_and_escaped_ids_have_files_of_their_own(files: HistoryFiles, tmp_path: Path) -> None:
    ids = ("a" * 200, "a" * 201, "a" * 200 + ".", "日" * 170, "/" * 255, "-", "a/+b", "+", "%2F")
    sessions = [session_key(session_id) for session_id in ids]
    sessions += [session_key(*each) for each in product(ids, ids, ("-", "acme"))]
    for session in sessions:
        files.stage(session, OLD, [json.dumps(session)])
    for path in (tmp_path / "histories").rglob("*.json.*"):
        os.utime(path, (0, 0))
    assert set(files.find_stale_versions(older_than_seconds=60)) == {(session, OLD) for session in sessions}
    for session in sessions:
        files.publish(session, OLD)
        assert files.read_messages(session) == [json.dumps(session).encode()]
        files.remove_files(session, files.list_files(session))
    assert [path for path in (tmp_path / "histories").rglob("*") if path.is_file()] == []


def test_plain_ids_keep_their_paths(files: HistoryFiles, tmp_path: Path) -> None:
    for session in ("v1.2_~-", session_key("s", "alice"), session_key("s", "x" * 128, "acme"), "y" * 128):
        files.stage(session, OLD, [])
        files.publish(session, OLD)
    root = tmp_path / "histories"
    assert {str(path.relative_to(root)) for path in root.rglob("*.json")} == {
        "-/v1.2_~-.json",
        "alice/s.json",
        f"@acme/{'x' * 128}/s.json",
        f"-/{'y' * 128}.json",
    }


@pytest.mark.parametrize("session", ["../x", "a/../x", "-/-/..", "a/b", "-/-/a\n", "", "-/./x", "@a/b/c"])
def test_no_session_name_leads_out_of_the_directory(files: HistoryFiles, session: str) -> None:
    with pytest.raises(ValueError, match=r"is not a session|unpack"):
        files.read_messages(session)


def test_an_unwritable_directory_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="INTURN_HISTORY"):
        HistoryFiles(tmp_path / "file" / "histories").prepare()
