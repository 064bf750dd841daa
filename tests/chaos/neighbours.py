"""How long turns wait for their start beside a model or a tenant that has far more turns than there are places."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos.run import quantile
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

TURNS = 200
PER_SECOND = 10.0
SUBMITTERS = 20
SETTLE_SECONDS = 120
ASSISTANTS = """\
[assistants.neighbour]
model = "neighbour"

[assistants.ordinary]
model = "ordinary"
"""


@dataclass(frozen=True)
class Neighbour:
    """The turns of the neighbour, by what the scripted model does with them."""

    text: str
    turns: int = 600
    has_own_tenant: bool = False


NEIGHBOURS: Mapping[str, Neighbour] = {
    "a model that never answers": Neighbour("[gate never]"),
    "a model that stops in mid-answer": Neighbour("[hold never]"),
    "a model that drips": Neighbour("[words 60] [pace 1]"),
    "a model that answers 500": Neighbour("[delay 1] [fail 500]"),
    "a tenant with turns of 10 s": Neighbour("[delay 10]", turns=800, has_own_tenant=True),
}


@dataclass(frozen=True)
class Waits:
    """Seconds from the acceptance to the start of each ordinary turn, and how many completed."""

    neighbour_turns: int
    seconds: Sequence[float]
    completed: int

    @property
    def all_completed(self) -> bool:
        return self.completed == TURNS

    def row(self, name: str) -> str:
        waits = " | ".join(f"{quantile(self.seconds, q):.2f} s" for q in (0.5, 0.95, 1.0))
        return f"| {name} | {self.neighbour_turns} | {TURNS} | {self.completed} | {waits} |"


class Caller:
    """A client of one tenant, or of the service without keys."""

    def __init__(self, stack: Stack, assistant: str, *, tenant: str | None) -> None:
        self._url = f"{stack.url}/v1/turns"
        self._assistant = assistant
        self._key = stack.create_api_key(tenant) if tenant else None

    def submit(self, session: str, text: str) -> str:
        body = turn_request(session, text, assistant=self._assistant)
        response = call(self._url, method="POST", body=body, api_key=self._key)
        assert response.status == 202, response
        turn_id: str = response.body["id"]
        return turn_id

    def get_turn(self, turn_id: str) -> dict[str, Any]:
        turn: dict[str, Any] = call(f"{self._url}/{turn_id}", api_key=self._key).body
        return turn

    def has_ended(self, turn_id: str) -> bool:
        return bool(self.get_turn(turn_id)["finished_at"])


def measure_beside(neighbour: Neighbour, directory: Path) -> Waits:
    """Submit the neighbour's turns, wait until some run, then submit ordinary turns and read how long they waited."""
    file = directory / "assistants.toml"
    file.write_text(ASSISTANTS, encoding="utf-8")
    with Stack(directory, workers=1, settings={"INTURN_ASSISTANTS": str(file)}) as stack:
        tenants = ("loud", "quiet") if neighbour.has_own_tenant else (None, None)
        loud = Caller(stack, "neighbour", tenant=tenants[0])
        quiet = Caller(stack, "ordinary", tenant=tenants[1])
        with ThreadPoolExecutor(SUBMITTERS) as pool:
            list(pool.map(lambda n: loud.submit(f"loud-{n}", neighbour.text), range(neighbour.turns)))
        turn_ids = []
        for n in range(TURNS):
            turn_ids.append(quiet.submit(f"quiet-{n}", f"question {n}"))
            time.sleep(1 / PER_SECOND)
        wait_until("all ordinary turns have ended", lambda: all(map(quiet.has_ended, turn_ids)), seconds=SETTLE_SECONDS)
        turns = [quiet.get_turn(turn_id) for turn_id in turn_ids]
    return Waits(
        neighbour_turns=neighbour.turns,
        seconds=[_instant(turn["started_at"]) - _instant(turn["accepted_at"]) for turn in turns if turn["started_at"]],
        completed=sum(turn["status"] == "completed" for turn in turns),
    )


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
