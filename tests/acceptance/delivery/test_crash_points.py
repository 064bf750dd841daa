"""Every point at which a step of a turn can break: its script did not run, or it ran and nobody heard of it.

The process that sent it dies there, or loses its connection, or waits in vain. Each session here has a turn that is hit
at one such point, and a turn behind it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.proxy import Action, Fault, ProxiedServer, Timing
from tests.support.scripted_model import answer
from tests.support.waiting import repeating, wait_until
from turns.config.settings import Settings

SYSTEM = {"role": "system", "content": "You're an assistant who's good at math. Respond in 20 words or fewer"}
HELD = "[hold {name}]"  # speaks, and goes on when the fault has happened
FAST = Settings(
    redis_url="unset",
    lease_seconds=1.5,
    hint_grace_seconds=0.5,
    rescue_seconds=0.2,
    retry_seconds=0.2,
    max_attempts=100,
    grace_seconds=0.2,
)


@dataclass(frozen=True)
class Point:
    """A step that breaks, what its turn says, and how that turn ends."""

    verb: str
    says: str
    ends: str = "completed"


POINTS = [
    Point("accept", "hello"),
    Point("claim", "hello"),
    Point("emit", f"hello {HELD}"),
    Point("renew", f"hello {HELD}"),
    Point("commit", "hello"),
    Point("fail", "retried [fail 503 1]"),
    Point("fail", "hopeless [fail 400]", ends="failed"),
    Point("interrupt", "long [words 600] [pace 0.05]", ends="incomplete"),
    Point("cancel", "long [words 600] [pace 0.05]", ends="cancelled"),
    Point("release", f"long {HELD}"),
]


class Session:
    """One session that is hit at one point."""

    def __init__(self, stack: Stack, name: str, point: Point, timing: Timing, action: Action) -> None:
        self._stack = stack
        self.name = name
        self._point = point
        self._timing = timing
        self._action = action
        self._said = f"{name} {point.says.format(name=f'held-{name}')}"
        self.turns: list[str] = []

    def run(self) -> None:
        """All turns have been asked for, and the fault has happened at its point."""
        self.turns.append(self._submit(f"first [gate {self.name}]"))
        if self._point.verb == "accept":
            self._arm(self._said)
        self.turns.append(self._submit(self._said))
        if self._point.verb != "accept":
            self._arm(self.turns[1])
        self._stack.open_gate(self.name)
        match self._point.verb:
            case "cancel":
                self._until_speaking()
                self._insist(f"/v1/turns/{self.turns[1]}/cancel")
            case "release":
                self._until_speaking()
                self._stack.worker_of(self.turns[1]).terminate()
            case "interrupt":
                self._until_speaking()
        self.turns.append(self._submit("last", on_busy="interrupt" if self._point.verb == "interrupt" else "enqueue"))
        wait_until(f"the fault of {self.name} has happened", lambda: not self._is_armed(), seconds=60)
        self._stack.open_gate(f"held-{self.name}")

    def check(self) -> None:
        """Each turn has ended as it must, once, and the one behind it saw exactly what took effect."""
        first, hit, last = (self._stack.wait_until_finished(turn) for turn in self.turns)
        assert (first["status"], hit["status"], last["status"]) == ("completed", self._point.ends, "completed"), hit
        history = [{"role": m["role"], "content": m["content"]} for m in self._stack.messages(self.name)]
        asked = [m["content"] for m in history if m["role"] == "user"]
        counts = self._point.ends in {"completed", "incomplete"}
        assert asked == [f"first [gate {self.name}]", *([self._said] if counts else []), "last"]
        assert history[-1]["content"] == answer([SYSTEM, *history[:-1]])
        if self._action is not Action.KILL and self._point.verb != "release":
            tries = 2 if "retried" in self._point.says else 1
            assert hit["attempt"] == tries, "a lost reply is asked for again, and costs no attempt"

    def _arm(self, about: str) -> None:
        self._fault = Fault(self._point.verb, about, self._timing, self._action)
        self._proxy.arm(self._fault)

    def _is_armed(self) -> bool:
        return self._fault in self._proxy.armed

    @property
    def _proxy(self) -> ProxiedServer:
        assert isinstance(self._stack.store, ProxiedServer)
        return self._stack.store

    def _submit(self, said: str, **more: str) -> str:
        key = {"Idempotency-Key": f"{self.name} {said}"}
        turn_id: str = self._insist("/v1/turns", turn_request(self.name, said, **more), key).body["id"]
        return turn_id

    def _insist(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> HttpResponse:
        """As a careful caller does: the same again until there is an answer."""
        answers: list[HttpResponse] = []

        def answered() -> bool:
            try:
                answers.append(call(f"{self._stack.url}{path}", method="POST", body=body, headers=headers))
            except OSError:
                return False
            return answers[-1].status < 300

        wait_until(f"{path} is answered", answered, seconds=60)
        return answers[-1]

    def _until_speaking(self) -> None:
        events = f"inturn:events:{self.turns[1]}"
        wait_until("the model speaks", lambda: self._stack.store.raw.xlen(events) >= 2, seconds=60)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    changed = FAST.model_dump(mode="json", exclude_defaults=True, exclude={"redis_url"})
    environment = {f"INTURN_{name.upper()}": str(value) for name, value in changed.items()}
    stack = Stack(tmp_path, workers=3, store=ProxiedServer(tmp_path, FAST), settings=environment)
    yield stack
    stack.stop()


def sessions(stack: Stack, action: Action) -> list[Session]:
    return [
        Session(stack, f"{n}-{point.verb}-{timing}", point, timing, action)
        for n, point in enumerate(POINTS)
        for timing in Timing
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("action", [Action.CUT, Action.HANG])
def test_a_line_that_breaks_costs_nothing(stack: Stack, action: Action) -> None:
    hit = sessions(stack, action)
    with repeating(stack.replace_dead, every_seconds=0.1), ThreadPoolExecutor(len(hit)) as pool:
        list(pool.map(Session.run, hit))
        list(pool.map(Session.check, hit))


@pytest.mark.timeout(400)
def test_a_process_that_dies_there_loses_nothing(stack: Stack) -> None:
    hit = sessions(stack, Action.KILL)
    with repeating(stack.replace_dead, every_seconds=0.1):
        for session in hit:
            session.run()
        for session in hit:
            session.check()
