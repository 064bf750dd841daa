"""A worker's runs for the unit tests: real objects over a store and a clock that the test controls."""

from collections.abc import Callable
from typing import Any

from tests.unit.worker.run.stand_ins import SCRIPTED, FakeClock, FakeStore, ScriptedChain, Step, make_claim
from turns.backend.script_replies import Reply
from turns.config.settings import Pool, Settings
from turns.domain.assistant import Assistant
from worker.langchain.chain_cache import ChainCache
from worker.run.active_runs import ActiveRuns
from worker.run.execution import Execution
from worker.run.interrupt import interrupter
from worker.run.output.event_buffer import DeltaEmitter


class Worker:
    """The real objects of a worker, over a store and a clock that the test controls."""

    def __init__(self, **settings: Any) -> None:
        self.store = FakeStore()
        self.clock = FakeClock()
        self.settings = Settings(**settings)
        self.runs = ActiveRuns(self.store, interrupter(Pool.THREADS), clock=self.clock)  # type: ignore[arg-type]  # a stand-in
        self.emitter = DeltaEmitter(self.store, self.runs.stop_runs)  # type: ignore[arg-type]  # a stand-in
        self.execution = Execution(
            self.store,  # type: ignore[arg-type]  # a stand-in
            ChainCache(permits=lambda _: True),
            self.runs,
            self.emitter,
            self.settings,
            worker="w",
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def run(self, *steps: Step, assistant: Assistant = SCRIPTED, **fields: Any) -> list[tuple[Any, ...]]:
        """Run a turn whose chain does these steps. Return the calls of the store after the claim."""
        ScriptedChain.steps = steps
        self.claim = make_claim(assistant=assistant, **fields)
        self.store.replies["claim"].append(self.claim)
        self.store.calls.clear()
        self.execution.run(self.claim.turn_id)
        assert self.store.calls[0][0] == "claim"
        return self.store.calls[1:]

    def stop(self, outcome: Reply) -> Callable[[], None]:
        """Return a step at which a renewal of the lease has this outcome."""
        return lambda: self.runs.stop_runs([(self.claim.token, outcome)])

    def wait(self, seconds: float) -> Callable[[], None]:
        """Return a step that takes this time, at whose end the deadlines are checked."""

        def step() -> None:
            self.clock.now += seconds
            self.runs.stop_late_runs()

        return step
