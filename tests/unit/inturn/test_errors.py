"""The error classes are exported, documented and mapped to exit codes."""

import inturn
from inturn import errors
from inturn.cli.exit_codes import Exit, exit_code_for_error
from inturn.errors import InTurnError, Refused
from tools import ROOT

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InTurnError)]


def test_each_class_is_exported_and_documented() -> None:
    assert {error.__name__ for error in CLASSES} <= set(inturn.__all__)
    page = (ROOT / "docs" / "reference" / "client.md").read_text(encoding="utf-8").replace("`inturn.", "`")
    assert [error.__name__ for error in CLASSES if f"`{error.__name__}`" not in page] == []


def test_each_class_has_an_exit_code() -> None:
    for error in CLASSES:
        assert exit_code_for_error(error.__new__(error)) in set(Exit) - {Exit.OK, Exit.INTERRUPTED}
    assert exit_code_for_error(Refused("x")) is Exit.REFUSED
