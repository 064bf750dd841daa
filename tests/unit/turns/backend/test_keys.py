"""Test the namespace of the names, which are made when the module is imported."""

import os
import subprocess
import sys

import pytest

from tools import ROOT

PRINT_NAMES = """
from turns.backend.keys import CATALOGUE
from turns.backend.script_loader import render_constants
from turns.config.settings import Settings
for key in CATALOGUE:
    print(key.name, key("x").removesuffix("x"), sep="\\n")
for name, literal in render_constants(Settings()).items():
    if name.startswith("KEY."):
        print(literal.strip("'"))
"""


def names(**environment: str) -> list[str]:
    command = [sys.executable, "-c", PRINT_NAMES]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("variable", ["INTURN_NAMESPACE", "inturn_namespace"])
def test_a_namespace_is_the_prefix_of_every_name(variable: str) -> None:
    plain, blue = names(), names(**{variable: " blue "})
    assert len(plain) > 100
    assert all(name.startswith(("inturn:", "message_store:")) for name in plain)
    assert blue == [f"blue:{name}" for name in plain]
