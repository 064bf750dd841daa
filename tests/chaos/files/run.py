"""One run: a stack with a short life of unused files, the callers, the faults and the check."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.files.check import Verdict, check, on_disk
from tests.chaos.files.load import Callers
from tests.chaos.nemesis import Nemesis
from tests.support.processes import Stack

ASSISTANTS = '[assistants.default]\naccepts = ["text", "image"]\n'


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    faults: Counter[str]
    turns: int
    uploads: int
    kept: int

    @property
    def row(self) -> str:
        """The row of the table, without the column of the faults."""
        found = self.verdict
        counts = (self.turns, self.uploads, self.kept, *map(len, (found.unfinished, found.lacking, found.left)))
        return " | ".join(map(str, counts))


def prepare(directory: Path) -> dict[str, str]:
    """Write the assistants and return the settings of a stack whose files are in this directory."""
    (directory / "assistants.toml").write_text(ASSISTANTS, encoding="utf-8")
    return {
        "INTURN_ASSISTANTS": str(directory / "assistants.toml"),
        "INTURN_FILES": f"file:{directory}/files",
        "INTURN_FILE_TTL_SECONDS": "4",
    }


def run(
    stack: Stack,
    directory: Path,
    *,
    sessions: int,
    turns: int,
    pause_seconds: float,
    seed: int,
    every_seconds: float,
    faults: Counter[str],
    nemesis_type: type[Nemesis] = Nemesis,
) -> Outcome:
    nemesis = nemesis_type(stack, seed=seed, every_seconds=every_seconds, faults=faults)
    nemesis.start()
    callers = Callers(stack, sessions=sessions, turns=turns, pause_seconds=pause_seconds, seed=seed)
    result = callers.run()
    nemesis.finish()
    stack.replace_dead()
    files = directory / "files"
    verdict = check(stack, result, files)
    return Outcome(verdict, nemesis.done, len(result.submitted), result.uploads, len(on_disk(files)))
