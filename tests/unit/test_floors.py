"""What is pinned is not what is known to be broken, where no advisory database can be asked."""

import re

from docs.generate import ROOT
from supervisor.doctor import FLOORS, at_least


def test_no_pin_is_below_its_floor() -> None:
    pins = dict(
        re.findall(r"^([a-z0-9-]+)==([0-9.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for name, floor in FLOORS.items():
        assert at_least(pins[name], floor), f"{name} {pins[name]} is below {floor}"


def test_every_pin_has_its_hash() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / file).read_text(encoding="utf-8")
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert "--hash=sha256:" in block or not re.match(r"[a-z0-9-]+==", block), block[:60]
