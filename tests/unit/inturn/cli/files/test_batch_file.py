"""The file of a batch's results."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inturn.cli.files.batch_file import Batch, BatchFile, WrongLine


def result(line: int, status: str = "completed") -> dict[str, Any]:
    return {"line": line, "turn": {"status": status}}


@contextlib.contextmanager
def opened(path: Path, digest: str = "d", *, force: bool = False) -> Iterator[BatchFile]:
    with contextlib.closing(BatchFile(path)) as file:
        file.open(digest, force=force)
        yield file


def test_a_run_goes_on_after_the_last_whole_result(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with opened(path) as first:
        first.append(result(1))
        first.append(result(2, "failed"))
    with (tmp_path / "out.part").open("ab") as part:
        part.write(b'{"line": 3, "tu')  # torn by a crash
    with opened(path) as again:
        assert (again.run, again.done) == (first.run, 2)
        again.append(result(3))
        assert again.finish() == 1
    assert [json.loads(line)["line"] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert list(tmp_path.iterdir()) == [path]


def test_results_of_other_lines_are_not_mixed(tmp_path: Path) -> None:
    with opened(tmp_path / "out", "d"):
        pass
    with pytest.raises(WrongLine, match="other lines"), opened(tmp_path / "out", "e"):
        pass


def test_results_are_replaced_only_if_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("precious")
    with pytest.raises(WrongLine, match="there already"), opened(path):
        pass
    with opened(path, force=True) as file:
        file.finish()
    assert path.read_text() == ""


@pytest.mark.parametrize(
    ("line", "rule"), [("{", "must be JSON"), ("[]", "an object"), ("{}", '"input"'), ('{"input": 1}', '"input"')]
)
def test_a_wrong_line_is_named_before_anything_is_sent(tmp_path: Path, line: str, rule: str) -> None:
    file = tmp_path / "in"
    file.write_text('{"input": "fine"}\n' + line + "\n")
    with pytest.raises(WrongLine, match=rule) as error:
        Batch.read(file, {})
    assert f"{file}:2" in str(error.value)
