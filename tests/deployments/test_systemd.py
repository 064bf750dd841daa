"""systemd accepts the shipped units."""

import subprocess
from pathlib import Path

from tools import ROOT


def test_the_units_are_valid(tmp_path: Path) -> None:
    """With the paths of this machine, because systemd-analyze also checks that the program exists."""
    for unit in [*(ROOT / "deploy").glob("*.service"), *(ROOT / "deploy").glob("*.socket")]:
        here = unit.read_text(encoding="utf-8").replace("/opt/inturn", str(ROOT))
        (tmp_path / unit.name.replace("@", "@1")).write_text(here, encoding="utf-8")
    units = sorted(tmp_path.iterdir())
    command = ["systemd-analyze", "verify", "--man=no", *map(str, units)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert len(units) == 4
    assert (checked.returncode, checked.stderr) == (0, "")
