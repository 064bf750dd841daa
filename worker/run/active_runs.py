"""The runs of this process: renewal of their leases, their deadlines, and how they are stopped."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, ModelError, ModelErrorKind
from turns.domain.run.breaker import is_provider_failure
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from turns.store.turns import TurnStore
from worker.provider.request_ids import ProviderRequest
from worker.run.interrupt import Interrupt, Interrupted, Interrupter

# How long a turn may need its lease after the last moment of its run: a store that restarts takes seconds.
COMMIT_PATIENCE_SECONDS = 60.0

Clock = Callable[[], float]


class Draining(Exception):
    """The worker stops and its grace period is over: the run must release its turn."""


class Superseded(Exception):
    """A newer turn of the session interrupts this one: the run must keep the text that it has so far."""


class ActiveRun:
    """A claimed turn that runs in this process: its claim, its assistant's settings, its deadlines."""

    def __init__(self, claim: Claim, settings: Settings, interrupter: Interrupter, *, clock: Clock) -> None:
        self.claim = claim
        self.settings = settings
        self.request = ProviderRequest(claim.client_request_id)
        self.stop_reason: Exception | None = None
        self.reported: Callable[[], tuple[Usage | None, int]] = lambda: (None, 0)  # until the chain is called
        self._clock = clock
        self._started_at = clock()
        self._is_running = True
        self._interrupt = interrupter(lambda: self._is_running)
        self._total_deadline = self._deadline = clock() + settings.total_seconds
        self._lateness = ModelErrorKind.HOPELESS
        self._quiet_since: float | None = None  # the time of its last text, None before the first one

    @property
    def needs_lease(self) -> bool:
        """False after the last moment at which the turn could be committed, even if the run hangs for ever."""
        return self._clock() < self._total_deadline + COMMIT_PATIENCE_SECONDS

    @property
    def duration_seconds(self) -> float:
        """Time since the claim."""
        return self._clock() - self._started_at

    @property
    def is_late(self) -> bool:
        """True if the run was stopped because its model was silent."""
        return isinstance(self.stop_reason, ModelError) and is_provider_failure(self.stop_reason)

    def expect_text(self, *, within_seconds: float, lateness: ModelErrorKind, has_text: bool = False) -> None:
        """Set the deadline for the next text of the model, and the kind of error if it is missed.

        `has_text`: the model has sent text just now.
        """
        now = self._clock()
        self._deadline = now + within_seconds
        self._lateness = lateness
        if has_text:
            self._quiet_since = now

    @property
    def quiet_seconds(self) -> float:
        """The time since its last text; 0 before the first one, and after the run."""
        return self._clock() - self._quiet_since if self._quiet_since is not None and self._is_running else 0.0

    def stop_if_late(self) -> None:
        """Stop the run if it has missed a deadline."""
        now = self._clock()
        if now > self._total_deadline:
            self._stop_late(ModelErrorKind.HOPELESS, "the answer took too long")
        elif now > self._deadline:
            self._stop_late(self._lateness, "the model was silent for too long")

    def stop(self, reason: Exception) -> None:
        """Interrupt the run. The first reason wins; a finished run is not affected."""
        if self._is_running and self.stop_reason is None:
            self.stop_reason = reason
            self._interrupt()

    def interrupt_with(self, interrupt: Interrupt) -> None:
        """Interrupt the run with this function, from any thread, instead of the pool's way."""
        self._interrupt = interrupt

    def check(self) -> None:
        """Raise `Interrupted` if the run must stop; for pools that cannot interrupt it from outside."""
        if self.stop_reason:
            raise Interrupted

    def mark_finished(self) -> None:
        """Protect the code after the run, which writes to the store, from being interrupted."""
        self._is_running = False

    def _stop_late(self, kind: ModelErrorKind, message: str) -> None:
        self.stop(ModelError(Code.PROVIDER_TIMEOUT, kind, message=message))


class ActiveRuns:
    """All runs of this process."""

    def __init__(self, store: TurnStore, interrupter: Interrupter, *, clock: Clock = time.monotonic) -> None:
        self._store = store
        self._interrupter = interrupter
        self._clock = clock
        # By token: this process may claim a turn again while an older run of it, which lost its lease, has not ended.
        self._runs: dict[str, ActiveRun] = {}

    @contextmanager
    def hold(self, claim: Claim, settings: Settings) -> Iterator[ActiveRun]:
        """Keep the lease inside the context. Enter it in the thread or greenlet of the run, which may be interrupted.

        `settings` are those of the claim's assistant.
        """
        run = self._runs[claim.token] = ActiveRun(claim, settings, self._interrupter, clock=self._clock)
        try:
            yield run
        finally:
            run.mark_finished()
            self._runs.pop(claim.token, None)

    def renew(self) -> None:
        """Renew all leases, and stop the runs that must stop."""
        self.stop_runs(self._store.renew(self.claims()))

    def claims(self) -> list[Claim]:
        """Return the claims whose leases must be renewed."""
        return [run.claim for run in self._all() if run.needs_lease]

    def run_of(self, frame: FrameType | None) -> ActiveRun | None:
        """Return the run on whose behalf this frame executes, or None. Called while the run's thread stands still."""
        runs = self._all()
        while frame:
            for value in frame.f_locals.values():
                if isinstance(value, ActiveRun) and value in runs:
                    return value
            frame = frame.f_back
        return None

    def stop_runs(self, outcomes: Sequence[tuple[str, Reply]]) -> None:
        """Stop the runs with these tokens: their leases were lost, or their turns superseded."""
        for token, outcome in outcomes:
            run = self._runs.get(token)
            if run:
                run.stop(Superseded() if outcome is Reply.SUPERSEDED else LeaseLost())

    def stop_late_runs(self) -> None:
        """Stop the runs that have missed a deadline."""
        for run in self._all():
            run.stop_if_late()

    def count_other_late_runs(self, active: ActiveRun) -> int:
        """Return the number of other runs of its model that have missed a deadline and have not ended yet."""
        model = active.claim.hold_name
        return sum(run.is_late and run.claim.hold_name == model for run in self._all() if run is not active)

    def stop_turn(self, turn_id: str) -> None:
        """Stop the run of a turn that was cancelled or interrupted, if it is in this process."""
        if any(run.claim.turn_id == turn_id for run in self._all()):
            self.renew()  # the store's reply is LOST or SUPERSEDED

    def find_quiet_seconds(self) -> list[tuple[Claim, float]]:
        """Return the claim of each run, and for how long it has sent no text in the middle of its answer."""
        return [(run.claim, run.quiet_seconds) for run in self._all()]

    def release_all(self) -> None:
        """Stop all runs, so that each releases its turn."""
        for run in self._all():
            run.stop(Draining())

    def _all(self) -> list[ActiveRun]:
        return list(self._runs.values())
