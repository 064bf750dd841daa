"""The clients in JavaScript: a script for each, which Node runs and whose lines are the answers."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.acceptance.javascript.node import NODE
from tests.chaos.surfaces.talking import Answers, Client, Conversation
from tools import ROOT

SCRIPTS = Path(__file__).parent / "scripts"
VENDOR = ROOT / "tests" / "browser" / "vendor"


def in_node(script: str, libraries: Mapping[str, Path]) -> Client:
    """Return the client of a script that imports these libraries by their names."""

    def run(url: str, conversations: Sequence[Conversation]) -> Answers:
        given = json.dumps({"url": url, "conversations": [asdict(each) for each in conversations]})
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            for file in (SCRIPTS / "talking.mjs", SCRIPTS / script):
                shutil.copy(file, directory)
            for library, source in libraries.items():
                (directory / library).symlink_to(source)
            lines = subprocess.run(
                [NODE, directory / script], input=given, stdout=subprocess.PIPE, text=True, check=True
            ).stdout
        return dict(map(json.loads, lines.splitlines()))

    return run
