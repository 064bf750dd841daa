"""The operator page has words for everything that the service can tell it."""

import re

from tools import ROOT
from turns.domain.error_codes import Code
from turns.domain.state import TERMINAL
from turns.operations.actions import Switch

WORDS = (ROOT / "web" / "static" / "operator" / "words.js").read_text(encoding="utf-8")


def names(table: str) -> set[str]:
    """The keys of that object."""
    [body] = re.findall(rf"const {table} = {{\n(.*?)\n}};", WORDS, re.DOTALL)
    return set(re.findall(r"^  (\w+): ", body, re.MULTILINE))


def test_each_code_of_a_failed_turn_has_its_advice() -> None:
    assert names("ADVICE") == set(Code)


def test_each_switch_has_its_words() -> None:
    assert names("SWITCHES") == set(Switch)


def test_each_end_of_a_run_has_its_words() -> None:
    assert names("ENDED_BY") == {"retry", "rescue", "release", *TERMINAL}
