"""Docs that can be checked are checked."""

import re
from pathlib import Path

from docs.generate import ROOT, generated
from turns.codes import Code
from turns.logs import Log

MARKDOWN = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_the_generated_docs_are_up_to_date() -> None:
    """Run `make format` when this fails."""
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, path


def test_every_link_to_a_file_leads_to_a_file() -> None:
    for page in MARKDOWN:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_test_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", readme)
    assert named
    for file, function in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in source, f"{file}::{function}"


def test_every_setting_and_log_event_is_explained_to_the_operator() -> None:
    page = Path(ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in (*Log, *Code):
        assert f"`{name}`" in page, name
