"""Each point at which a step of a turn can break: its script did not run, or it ran and its reply was lost.

The process that sent the script dies there, loses its connection, or gets no reply. Each session here has one turn that
is hit at one such point, and one turn behind it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import SYSTEM_MESSAGE, HttpResponse, Stack, call, turn_request
from tests.support.proxy import Action, Fault, ProxiedServer, Timing
from tests.support.scripted_model import answer
from tests.support.waiting import repeating, wait_until
from turns.config.settings import Settings

HOLD = "[hold {name}]"  # pause the answer until the fault has happened
FAST = Settings(
    redis_url="unset",
    lease_seconds=1.5,
    hint_grace_seconds=0.5,
    rescue_seconds=0.2,
    retry_seconds=0.2,
    max_attempts=100,
    max_losses=100,
    grace_seconds=0.2,
)


@dataclass(frozen=True)
class Point:
    """A step that breaks, the text of its turn, and the turn's final status."""

    verb: str
    text: str
    status: str = "completed"


POINTS = [
    Point("accept", "hello"),
    Point("claim", "hello"),
    Point("emit", f"hello {HOLD}"),
    Point("renew", f"hello {HOLD}"),
    Point("commit", "hello"),
    Point("fail", "retried [fail 503 1]"),
    Point("fail", "hopeless [fail 400]", status="failed"),
    Point("interrupt", "long [words 600] [pace 0.05]", status="incomplete"),
    Point("cancel", "long [words 600] [pace 0.05]", status="cancelled"),
    Point("release", f"long {HOLD}"),
]


class Session:
    """One session, whose second turn is hit at one point."""

    def __init__(self, stack: Stack, name: str, point: Point, timing: Timing, action: Action) -> None:
        self._stack = stack
        self.name = name
        self._point = point
        self._timing = timing
        self._action = action
        self._text = f"{name} {point.text.format(name=f'hold-{name}')}"
        self.turns: list[str] = []

    @property
    def stops_its_worker(self) -> bool:
        return self._point.verb == "release"

    def run(self) -> None:
        """Submit all turns and wait until the fault has happened."""
        self.turns.append(self._submit(f"first [gate {self.name}]"))
        if self._point.verb == "accept":
            self._arm(self._text)
        self.turns.append(self._submit(self._text))
        if self._point.verb != "accept":
            self._arm(self.turns[1])
        self._stack.open_gate(self.name)
        if self._point.verb in {"cancel", "release", "interrupt"}:
            self._stack.wait_until_streaming(self.turns[1])
        if self._point.verb == "cancel":
            self._post(f"/v1/turns/{self.turns[1]}/cancel")
        if self.stops_its_worker:
            self._stack.worker_of(self.turns[1]).terminate()
        self.turns.append(self._submit("last", on_busy="interrupt" if self._point.verb == "interrupt" else "enqueue"))
        wait_until(f"the fault of {self.name} has happened", lambda: not self._is_armed(), seconds=60)
        self._stack.open_gate(f"hold-{self.name}")

    def check(self) -> None:
        """Check that each turn ended as expected, once, and that the last one saw exactly the committed turns."""
        first, hit, last = (self._stack.wait_until_finished(turn) for turn in self.turns)
        assert (first["status"], hit["status"], last["status"]) == ("completed", self._point.status, "completed"), hit
        history = [{"role": m["role"], "content": m["content"]} for m in self._stack.messages(self.name)]
        questions = [m["content"] for m in history if m["role"] == "user"]
        is_committed = self._point.status in {"completed", "incomplete"}
        assert questions == [f"first [gate {self.name}]", *([self._text] if is_committed else []), "last"]
        assert history[-1]["content"] == answer([SYSTEM_MESSAGE, *history[:-1]])
        if self._action is not Action.KILL and not self.stops_its_worker:
            attempts = 2 if "retried" in self._point.text else 1
            assert hit["attempt"] == attempts, "a script whose reply is lost runs again within the same attempt"

    def _arm(self, argument: str) -> None:
        self._fault = Fault(self._point.verb, argument, self._timing, self._action)
        self._proxy.arm(self._fault)

    def _is_armed(self) -> bool:
        return self._fault in self._proxy.armed

    @property
    def _proxy(self) -> ProxiedServer:
        assert isinstance(self._stack.store, ProxiedServer)
        return self._stack.store

    def _submit(self, text: str, **more: str) -> str:
        key = {"Idempotency-Key": f"{self.name} {text}"}
        turn_id: str = self._post("/v1/turns", turn_request(self.name, text, **more), key).body["id"]
        return turn_id

    def _post(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> HttpResponse:
        """Send the same request until it succeeds, as a careful client does."""
        responses: list[HttpResponse] = []

        def succeeds() -> bool:
            try:
                responses.append(call(f"{self._stack.url}{path}", method="POST", body=body, headers=headers))
            except OSError:
                return False
            return responses[-1].status < 300

        wait_until(f"POST {path} succeeds", succeeds, seconds=60)
        return responses[-1]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    changed = FAST.model_dump(mode="json", exclude_defaults=True, exclude={"redis_url"})
    environment = {f"INTURN_{name.upper()}": str(value) for name, value in changed.items()}
    with Stack(tmp_path, workers=3, store=ProxiedServer(tmp_path, FAST), settings=environment) as stack:
        yield stack


def sessions(stack: Stack, action: Action) -> list[Session]:
    return [
        Session(stack, f"{n}-{point.verb}-{timing}", point, timing, action)
        for n, point in enumerate(POINTS)
        for timing in Timing
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("action", [Action.CUT, Action.HANG])
def test_a_broken_connection_loses_nothing(stack: Stack, action: Action) -> None:
    hit = sessions(stack, action)
    with repeating(stack.replace_dead, every_seconds=0.1), ThreadPoolExecutor(len(hit)) as pool:
        # A worker that stops releases all its turns, and a newer turn cancels a released turn instead of interrupting
        # it. Run at the same time, a session that stops its worker could prevent the fault of another session.
        list(pool.map(Session.run, [session for session in hit if not session.stops_its_worker]))
        list(pool.map(Session.run, [session for session in hit if session.stops_its_worker]))
        list(pool.map(Session.check, hit))


@pytest.mark.timeout(400)
def test_a_killed_process_loses_nothing(stack: Stack) -> None:
    hit = sessions(stack, Action.KILL)
    with repeating(stack.replace_dead, every_seconds=0.1):
        for session in hit:
            session.run()
        for session in hit:
            session.check()
