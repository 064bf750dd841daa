"""The outcome of a run: its turn is committed, ends with a partial answer, is queued again, or fails."""

import random
from collections.abc import Callable
from functools import partial

from turns.assistants.prices import Prices
from turns.config.logs import Log, get_logger
from turns.config.tracing import mark_failed
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, ModelError, StoreUnavailable
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.retry import GiveUp, Retry
from turns.domain.run.spending import Spending
from turns.file_history.offload import DiskUnavailable
from turns.store.turns import TurnStore
from worker.langchain.chain import partial_answer
from worker.provider.models import fallback_name
from worker.run.active_runs import COMMIT_PATIENCE_SECONDS, ActiveRun, Clock, Draining, Superseded
from worker.run.failure_policy import FailurePolicy
from worker.run.output.event_buffer import DeltaBuffer, DeltaEmitter
from worker.run.spending import UNKNOWN, log_facts, spending_of


class OutcomeWriter:
    """Repeats each write until the store has acknowledged it.

    Every method raises `LeaseLost`, or `StoreUnavailable` if the store does not return in time.
    """

    def __init__(
        self,
        store: TurnStore,
        emitter: DeltaEmitter,
        failures: FailurePolicy,
        *,
        prices: Callable[[], Prices],
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._store = store
        self._emitter = emitter
        self._failures = failures
        self._prices = prices
        self._clock = clock
        self._sleep = sleep

    def commit(self, active: ActiveRun, buffer: DeltaBuffer, answer: Answer) -> None:
        """Commit the turn; fail it if its messages cannot be stored."""
        claim, spending = active.claim, self._spending(active)
        self._write_until_acknowledged(lambda: self._emitter.flush_and_close(buffer))
        commit = partial(
            self._store.commit,
            claim,
            answer,
            tail=buffer.unsent,
            keeps_events=not buffer.is_all_of(answer.output),
            spending=spending,
            **active.request.ids,
        )
        if self._write_history(active, commit):
            self._failures.record_answer(claim)
            get_logger().info(Log.TURN_COMMITTED, **log_facts(active, spending))

    def end_stopped(self, active: ActiveRun, buffer: DeltaBuffer) -> None:
        """End a run that was stopped, as the reason for that demands."""
        match active.stop_reason:
            case Draining():
                self._release(active)
            case Superseded():
                self._interrupt(active, buffer)
            case ModelError() as error:
                self.retry_or_fail(active, buffer, error)
            case _:
                raise LeaseLost

    def retry_or_fail(self, active: ActiveRun, buffer: DeltaBuffer, error: ModelError) -> None:
        """Queue the turn of a failed run for another attempt, or fail it."""
        mark_failed(error.code)
        spending = self._spending(active, None if buffer.text else error)
        match self._failures.decide(active, error):
            case Retry() as decision:
                self._retry(active, error, decision, spending)
            case GiveUp(code=code):
                self._fail(active, code, str(error), spending, provider_status=error.provider_status)

    def fail_unknown(self, claim: Claim, error: str) -> None:
        """Fail a turn whose run has raised an unexpected error."""
        self._write_until_acknowledged(lambda: self._store.fail(claim, Code.WORKER_ERROR, spending=UNKNOWN))
        get_logger().warning(Log.TURN_FAILED, code=Code.WORKER_ERROR, error=error)

    def _release(self, active: ActiveRun) -> None:
        claim = active.claim
        self._store.release(claim.turn_id, token=claim.token, spending=self._spending(active))
        get_logger().info(Log.TURN_RELEASED)

    def _interrupt(self, active: ActiveRun, buffer: DeltaBuffer) -> None:
        claim, spending = active.claim, self._spending(active)
        self._write_until_acknowledged(lambda: self._emitter.flush_and_close(buffer))
        # Keep the text of this run, or that of the run before it if its worker has died.
        text, tail = (buffer.text, buffer.unsent) if buffer.text else (self._store.emitted_text(claim),) * 2
        interrupt = partial(
            self._store.interrupt,
            claim,
            partial_answer(claim, text),
            tail=tail,
            keeps_events=not buffer.is_all_of(buffer.text),
            spending=spending,
        )
        if self._write_history(active, interrupt):
            get_logger().info(Log.TURN_INTERRUPTED)

    def _retry(self, active: ActiveRun, error: ModelError, decision: Retry, spending: Spending) -> None:
        claim = active.claim
        model = fallback_name(active.settings) if decision.falls_back else claim.model
        self._write_until_acknowledged(
            lambda: self._store.retry(claim, error.code, decision, model=model, spending=spending, **active.request.ids)
        )
        get_logger().info(
            Log.TURN_RETRYING,
            code=error.code,
            after_seconds=decision.after_seconds,
            error=str(error),
            **log_facts(active, spending),
        )

    def _fail(
        self, active: ActiveRun, code: Code, error: str, spending: Spending, *, provider_status: int | None = None
    ) -> None:
        self._write_until_acknowledged(
            lambda: self._store.fail(
                active.claim, code, provider_status=provider_status, spending=spending, **active.request.ids
            )
        )
        get_logger().warning(Log.TURN_FAILED, code=code, error=error, **log_facts(active, spending))

    def _spending(self, active: ActiveRun, refusal: ModelError | None = None) -> Spending:
        return spending_of(active, self._prices(), refusal)

    def _write_history(self, active: ActiveRun, write: Callable[[], None]) -> bool:
        """Write the messages of the turn with its end; if they cannot be stored, fail the turn and return false."""
        try:
            self._write_until_acknowledged(write)
        except DiskUnavailable as error:  # the store has answered, so it can take the end of the turn
            reason = str(error)
        except (LeaseLost, StoreUnavailable):
            raise
        except Exception as error:  # such as a key that another program has replaced by one of another type
            reason = repr(error)
        else:
            return True
        mark_failed(Code.HISTORY_WRITE_FAILED)
        self._fail(active, Code.HISTORY_WRITE_FAILED, reason, self._spending(active))
        return False

    def _write_until_acknowledged(self, write: Callable[[], None]) -> None:
        """Repeat an idempotent write until the store has replied. Raise `LeaseLost`, at the end `StoreUnavailable`."""
        give_up_at = self._clock() + COMMIT_PATIENCE_SECONDS
        while True:
            try:
                return write()
            except StoreUnavailable:
                if self._clock() > give_up_at:
                    raise
                self._sleep(random.random())
