"""The page on the architecture names each package."""

import pytest

from tools import ROOT

PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("product", ["turns", "web", "worker", "inturn"])
def test_the_architecture_names_each_package(product: str) -> None:
    packages = {path.parent.name for path in (ROOT / product).glob("*/__init__.py")}
    assert packages
    assert {name for name in packages if f"`{name}" not in PAGE} == set()
