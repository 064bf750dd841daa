"""Generated parts, links and lists in the documentation match the code."""

import re
from pathlib import Path

from tools import ROOT
from tools.docs import generated
from turns.config.logs import Log
from turns.domain.error_codes import Code

MARKDOWN = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_the_generated_docs_are_up_to_date() -> None:
    """Run `make format` if this fails."""
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, path


def test_every_link_to_a_file_resolves() -> None:
    for page in MARKDOWN:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_test_that_the_guarantees_name_exists() -> None:
    page = (ROOT / "docs" / "explanation" / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert named
    for file, function in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in source, f"{file}::{function}"


def test_the_readme_stays_short_and_narrow() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 130
    assert max(map(len, lines)) <= 120


def test_every_log_event_and_error_code_is_explained() -> None:
    page = Path(ROOT / "docs" / "guides" / "operations.md").read_text(encoding="utf-8")
    for name in (*Log, *Code):
        assert f"`{name}`" in page, name
