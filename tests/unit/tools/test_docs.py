"""Generated parts, links and lists in the documentation match the code."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.docs import generated
from turns.config.logs import Log
from turns.domain.error_codes import Code

DOCS = ROOT / "docs"
MARKDOWN = [*ROOT.glob("*.md"), *DOCS.glob("**/*.md")]
MAX_PROSE_WIDTH = 120
NAMING = ("bench", "deploy", "examples", "inturn", "supervisor", "tests", "tools", "turns", "web", "worker")
TEXT = {".css", ".example", ".html", ".js", ".lua", ".py", ".service", ".toml", ".txt", ".yaml", ".yml"}


def test_the_generated_docs_are_up_to_date() -> None:
    """Run `make format` if this fails."""
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, path


def test_every_link_and_anchor_resolves() -> None:
    for page in MARKDOWN:
        for target, anchor in links(page):
            file = (page.parent / target).resolve() if target else page
            assert file.exists(), f"{page}: {target}"
            assert not anchor or anchor in anchors(file), f"{page}: {target}#{anchor}"


def test_every_page_that_code_names_exists() -> None:
    """A page that was moved leaves its old name in comments, help texts and examples, which no link check reads."""
    for path in named_by():
        for name in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), f"{path}: {name}"


def test_the_documentation_links_only_to_itself() -> None:
    """The site contains nothing else. Pages name other files of the repository in backticks."""
    for page in DOCS.glob("**/*.md"):
        for target, _ in links(page):
            assert (page.parent / target).resolve().is_relative_to(DOCS), f"{page}: {target}"


def test_the_site_and_the_index_list_every_page() -> None:
    pages = {page for page in DOCS.glob("**/*.md") if not re.match(r"\d{4}-", page.name)}
    site = tomllib.loads((DOCS / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    index = DOCS / "README.md"
    assert {DOCS / name for name in nav_pages(site)} == pages, "list each page in `nav` of docs/zensical.toml"
    linked = {(DOCS / target).resolve() for target, _ in links(index)}
    assert linked == pages - {index}, "link each page in docs/README.md"


def test_the_index_of_decisions_lists_each_in_order() -> None:
    folder = DOCS / "decisions"
    rows = re.findall(r"^\| \[(\d{4})\]\((\1-[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"), re.M)
    assert [name for _, name in rows] == sorted(page.name for page in folder.glob("[0-9]*.md"))


def test_no_line_of_prose_is_wide() -> None:
    """Tables and code have lines as wide as their content."""
    for page in MARKDOWN:
        for number, line in enumerate(without_code(page).splitlines(), start=1):
            assert line.lstrip().startswith("|") or len(line) <= MAX_PROSE_WIDTH, f"{page}:{number}"


def test_the_tutorial_shows_the_code_that_is_tested() -> None:
    blocks = re.findall(
        r"```python\n(.*?)```", (DOCS / "start" / "first_app.md").read_text(encoding="utf-8"), re.DOTALL
    )
    code = (ROOT / "examples" / "fastapi_app.py").read_text(encoding="utf-8")
    assert blocks
    assert [block for block in blocks if block not in code] == []


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


def without_code(page: Path) -> str:
    """Return the Markdown of the page with an empty line in place of each line of a code block."""
    code = re.compile(r"^[ ]*```.*?^[ ]*```", re.MULTILINE | re.DOTALL)
    return code.sub(lambda block: "\n" * block.group().count("\n"), page.read_text(encoding="utf-8"))


def named_by() -> Iterator[Path]:
    """Yield the files outside the documentation that may name a page of it."""
    yield from (ROOT / name for name in ("Makefile", "docker-compose.yml", "pyproject.toml"))
    for folder in NAMING:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in TEXT)


def links(page: Path) -> list[tuple[str, str]]:
    """Return the file, empty for the page itself, and the anchor of each relative link."""
    return re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", without_code(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and the site give to the headings of the page."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def nav_pages(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from nav_pages(target)
