"""Labels of the operator page for every code and status that the service can return."""

import re

from tools import ROOT
from turns.domain.error_codes import Code
from turns.domain.state import TERMINAL
from turns.domain.wait_reason import Reason
from turns.pauses.part import PauseKind
from turns.tenants.limits import LIMITS as LIMITS_OF_TENANTS

LABELS = (ROOT / "web" / "static" / "operator" / "format" / "labels.js").read_text(encoding="utf-8")


def keys_of(table: str) -> set[str]:
    """Return the keys of this JavaScript object."""
    [body] = re.findall(rf"const {table} = {{\n(.*?)\n}};", LABELS, re.DOTALL)
    return set(re.findall(r"^  (\w+): ", body, re.MULTILINE))


def test_each_error_code_has_advice() -> None:
    assert keys_of("ADVICE") == set(Code)


def test_each_switch_has_a_label() -> None:
    assert keys_of("SWITCHES") == {kind for kind in PauseKind if not kind.is_named}


def test_each_reason_to_wait_has_a_label() -> None:
    assert keys_of("HELD") == set(Reason) - {Reason.RUNNING}


def test_each_limit_of_a_tenant_has_a_label() -> None:
    assert keys_of("LIMITS") == set(LIMITS_OF_TENANTS)


def test_each_run_outcome_has_a_label() -> None:
    assert keys_of("RUN_OUTCOMES") == {"retry", "rescue", "release", *TERMINAL}
