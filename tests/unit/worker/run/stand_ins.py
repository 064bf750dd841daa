"""Stand-ins for the unit tests of a worker's runs: a clock, a store, and a chain that follows a script."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.runnables import Runnable, RunnableGenerator

from turns.domain.assistant import DEFAULT, Assistant
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Spending

numbers = itertools.count(1)


def make_claim(*, assistant: Assistant = DEFAULT, **fields: Any) -> Claim:
    """Return the first claim of a new turn."""
    n = next(numbers)
    defaults: dict[str, Any] = {
        "turn_id": f"turn_{n}",
        "token": f"token-{n}",
        "number": 1,
        "attempt": 1,
        "session": "s",
        "input": "hello",
        "variables": {},
        "model": "offline",
        "waited_ms": 0,
        "superseded": False,
        "traceparent": None,
        "messages": (),
    }
    return Claim(assistant=assistant, **{**defaults, **fields})


class FakeClock:
    """A clock that only moves when a test or a sleep moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)


class FakeStore:
    """Records calls of the store's verbs. `replies` and `errors` are used up in order, then each verb succeeds."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.spendings: list[Spending] = []
        self.kept_events: list[bool] = []
        self.replies: defaultdict[str, list[Any]] = defaultdict(list)
        self.errors: defaultdict[str, list[Exception]] = defaultdict(list)

    def verbs(self) -> list[str]:
        return [call[0] for call in self.calls]

    def claim(self, turn_id: str, *, worker: str, model: str, fallback_model: str) -> Claim | None:
        claim: Claim | None = self._call("claim", turn_id, worker, model, fallback_model, default=None)
        return claim

    def renew(self, claims: Any) -> Any:
        return self._call("renew", tuple(claim.turn_id for claim in claims), default=[])

    def emit(self, deltas: Any) -> Any:
        return self._call("emit", tuple((delta.entry_id, delta.text) for delta in deltas), default=[])

    def commit(self, claim: Claim, answer: Any, *, tail: str, keeps_events: bool, spending: Spending) -> None:
        self.spendings.append(spending)
        self.kept_events.append(keeps_events)
        self._call("commit", claim.turn_id, answer.output, tail)

    def interrupt(self, claim: Claim, answer: Any, *, tail: str, keeps_events: bool, spending: Spending) -> None:
        self.spendings.append(spending)
        self.kept_events.append(keeps_events)
        self._call("interrupt", claim.turn_id, answer.output, tail)

    def emitted_text(self, claim: Claim) -> Any:
        return self._call("emitted_text", claim.turn_id, default="")

    def fail(self, claim: Claim, code: Any, *, spending: Spending, provider_status: int | None = None) -> None:
        self.spendings.append(spending)
        self._call("fail", claim.turn_id, code)

    def retry(self, claim: Claim, code: Any, decision: Any, *, model: str, spending: Spending) -> None:
        self.spendings.append(spending)
        self._call("retry", claim.turn_id, code, decision, model)

    def reopen(self, claim: Claim) -> None:
        self._call("reopen", claim.turn_id)

    def release(self, turn_id: str, *, token: str = "", spending: Spending | None = None) -> None:
        self._call("release", turn_id, token)

    def rescue(self, *, worker: str, hint: str, slots: int) -> Any:
        return self._call("rescue", worker, hint, slots, default=[])

    def repair(self, *, worker: str) -> Any:
        return self._call("repair", worker, default=[])

    def is_drained(self, worker: str) -> Any:
        return self._call("is_drained", worker, default=False)

    def _call(self, verb: str, *arguments: Any, default: Any = None) -> Any:
        self.calls.append((verb, *arguments))
        if self.errors[verb]:
            raise self.errors[verb].pop(0)
        return self.replies[verb].pop(0) if self.replies[verb] else default


Step = str | BaseException | Callable[[], object]


class ScriptedChain:
    """The script of the chain below: each step is a text to yield, an exception to raise, or a function to call."""

    steps: tuple[Step, ...] = ()


def build_scripted_chain() -> Runnable[Any, Any]:
    """Return a custom chain that follows `ScriptedChain.steps`."""

    def follow(values: Iterator[Any]) -> Iterator[str]:
        for _ in values:
            for step in ScriptedChain.steps:
                if isinstance(step, str):
                    yield step
                elif isinstance(step, BaseException):
                    raise step
                else:
                    step()

    return RunnableGenerator(follow)


SCRIPTED = Assistant(name="scripted", chain=f"{__name__}:build_scripted_chain")
