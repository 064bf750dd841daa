"""The repository stays easy to survey: few entries at the top, few modules in a folder."""

import subprocess
from collections import Counter
from pathlib import Path

from tools import ROOT

MAX_TOP_ENTRIES = 18
MAX_MODULES = 15


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_the_top_of_the_repository_has_few_entries() -> None:
    top = {path.parts[0] for path in files() if not path.parts[0].startswith(".")}
    assert len(top) <= MAX_TOP_ENTRIES, sorted(top)


def test_no_folder_holds_many_modules() -> None:
    modules = Counter(path.parent for path in files() if path.suffix == ".py" and path.name != "__init__.py")
    assert {folder: count for folder, count in modules.items() if count > MAX_MODULES} == {}
