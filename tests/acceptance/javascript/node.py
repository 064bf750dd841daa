"""Run JavaScript in the Node that Playwright contains."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import playwright

NODE = Path(playwright.__file__).parent / "driver" / "node"
CLIENT = Path(__file__).parents[3] / "clients" / "js" / "src" / "index.js"
PRELUDE = f"""
import {{ InTurn, InTurnError }} from {json.dumps(CLIENT.as_uri())};
const print = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
"""


class Script:
    """A running script, whose `print` a test reads value by value."""

    def __init__(self, output: IO[str]) -> None:
        self._output = output

    def __iter__(self) -> Iterator[Any]:
        return map(json.loads, self._output)

    def read(self) -> Any:
        """Return the next printed value."""
        return json.loads(self._output.readline())


def run_script(code: str, *, prelude: str = PRELUDE) -> list[Any]:
    """Return what the script has printed when it has ended. `prelude` makes `print` and the client available."""
    with start_script(code, prelude=prelude) as script:
        return list(script)


@contextmanager
def start_script(code: str, *, prelude: str = PRELUDE) -> Iterator[Script]:
    """Run the script, which must end without an error before the block does."""
    command = [str(NODE), "--input-type=module", "--eval", prelude + code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        try:
            yield Script(process.stdout)
            process.stdout.read()
            assert process.wait(60) == 0
        finally:
            process.kill()
