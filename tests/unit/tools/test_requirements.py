"""The pins have hashes and are not below the versions with known vulnerabilities; needs no advisory database."""

import re

from supervisor.doctor.package_checks import MIN_PACKAGE_VERSIONS, is_at_least
from tools import ROOT


def test_no_pin_is_below_the_minimum_that_doctor_checks() -> None:
    pins = dict(
        re.findall(r"^([a-z0-9-]+)==([0-9.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for name, minimum in MIN_PACKAGE_VERSIONS.items():
        assert is_at_least(pins[name], minimum), f"{name} {pins[name]} is below {minimum}"


def test_every_pin_has_its_hash() -> None:
    for file in ("requirements.txt", "tools/requirements/dev.txt"):
        text = (ROOT / file).read_text(encoding="utf-8")
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert "--hash=sha256:" in block or not re.match(r"[a-z0-9-]+==", block), block[:60]
