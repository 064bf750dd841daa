"""The input file and the result file of a batch."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inturn.cli.files.batch_file import BatchFileError, BatchInput, BatchResults


def result(line: int, status: str = "completed") -> dict[str, Any]:
    return {"line": line, "turn": {"status": status}}


@contextlib.contextmanager
def opened(path: Path, digest: str = "d", *, force: bool = False) -> Iterator[BatchResults]:
    with contextlib.closing(BatchResults(path)) as results:
        results.open(digest, force=force)
        yield results


def test_a_run_resumes_after_the_last_complete_result(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with opened(path) as first:
        first.append(result(1))
        first.append(result(2, "failed"))
    with (tmp_path / "out.part").open("ab") as part:
        part.write(b'{"line": 3, "tu')  # torn by a crash
    with opened(path) as second:
        assert (second.run_name, second.done) == (first.run_name, 2)
        second.append(result(3))
        assert second.finish() == 1
    assert [json.loads(line)["line"] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("torn", ["", '{"run": "batch-'])
def test_a_run_killed_before_its_first_result_starts_over(tmp_path: Path, torn: str) -> None:
    (tmp_path / "out.part").write_text(torn)
    with opened(tmp_path / "out") as results:
        assert results.done == 0
        results.append(result(1))
        assert results.finish() == 0
    assert len((tmp_path / "out").read_text().splitlines()) == 1


def test_results_of_another_input_are_not_mixed(tmp_path: Path) -> None:
    with opened(tmp_path / "out", "d"):
        pass
    with pytest.raises(BatchFileError, match="other input"), opened(tmp_path / "out", "e"):
        pass


def test_existing_results_are_replaced_only_with_force(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("precious")
    with pytest.raises(BatchFileError, match="already exists"), opened(path):
        pass
    with opened(path, force=True) as results:
        results.finish()
    assert path.read_text() == ""


@pytest.mark.parametrize(
    ("line", "rule"), [("{", "must be JSON"), ("[]", "an object"), ("{}", '"input"'), ('{"input": 1}', '"input"')]
)
def test_an_invalid_line_is_reported_before_any_turn_is_sent(tmp_path: Path, line: str, rule: str) -> None:
    file = tmp_path / "in"
    file.write_text('{"input": "fine"}\n' + line + "\n")
    with pytest.raises(BatchFileError, match=rule) as error:
        BatchInput.load(file, {})
    assert f"{file}:2" in str(error.value)
