"""The execution of one turn after its hint: claim, run, commit."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from turns.assistants.overrides import settings_for
from turns.assistants.prices import Prices
from turns.config.logs import Log, bound, get_logger
from turns.config.settings import Settings
from turns.config.tracing import mark_failed
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, LeaseLost, ModelError, ModelErrorKind, StoreUnavailable
from turns.domain.events import OutputEvent
from turns.domain.ids import tenant_of
from turns.domain.run.answer import Answer
from turns.domain.run.breaker import ANSWER_CODES, Breaker, is_provider_failure
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Attempt, GiveUp, Retry, RetryBudget, RetryPolicy
from turns.domain.run.spending import Spending
from turns.file_history.offload import DiskUnavailable
from turns.store.turns import TurnStore
from worker.langchain.chain import ChainRun, partial_answer
from worker.langchain.chain_cache import ChainCache
from worker.provider.models import fallback_name
from worker.run.active_runs import COMMIT_PATIENCE_SECONDS, ActiveRun, ActiveRuns, Clock, Draining, Superseded
from worker.run.interrupt import STOPS, Interrupted
from worker.run.output.event_buffer import DeltaBuffer, DeltaEmitter
from worker.run.spans import generation_span, record_answer, run_span
from worker.run.spending import UNKNOWN, log_facts, spending_of

IMAGES_PER_ANSWER = 4  # size of all images of an answer, in sizes of the largest text


class HistoryNotWritten(Exception):
    """The messages of a turn cannot be stored, although the store answers."""


class Execution:
    """Runs turns. One object serves all greenlets or threads of the worker."""

    def __init__(
        self,
        store: TurnStore,
        chains: ChainCache,
        active_runs: ActiveRuns,
        emitter: DeltaEmitter,
        settings: Settings,
        *,
        worker: str,
        prices: Callable[[], Prices] = Prices,
        wait_to_claim: Callable[[], None] = lambda: None,
        store_images: Callable[[Answer, Claim], Answer] = lambda answer, _: answer,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._chains = chains
        self._active_runs = active_runs
        self._emitter = emitter
        self._settings = settings
        self._policy = RetryPolicy(
            max_attempts=settings.max_attempts,
            base_seconds=settings.retry_seconds,
        )
        self._budget = RetryBudget()
        self._breaker = Breaker(max_failures=settings.breaker_failures, max_attempts=settings.max_attempts)
        self._worker = worker
        self._prices = prices
        self._wait_to_claim = wait_to_claim
        self._store_images = store_images
        self._clock = clock
        self._sleep = sleep
        self._is_draining = False

    def drain(self) -> None:
        """Start no further turns."""
        self._is_draining = True

    def run(self, turn_id: str) -> None:
        """Claim the turn and make one attempt at it. Do nothing if there is nothing to claim."""
        with bound(turn_id=turn_id):
            try:
                self._wait_to_claim()
                if self._is_draining:
                    self._store.release(turn_id)
                elif claim := self._claim(turn_id):
                    self._run(claim)
            except LeaseLost:
                get_logger().info(Log.LEASE_LOST)
            except StoreUnavailable as error:
                # The index of due turns gives the turn to a worker that reaches the store.
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))

    def _claim(self, turn_id: str) -> Claim | None:
        return self._store.claim(
            turn_id,
            worker=self._worker,
            model=self._settings.model_name,
            fallback_model=fallback_name(self._settings),
        )

    def _run(self, claim: Claim) -> None:
        """Make one attempt. Whatever raises here ends the turn at once, instead of when its lease runs out."""
        try:
            self._attempt(claim)
        except (LeaseLost, StoreUnavailable):
            raise
        except Exception as error:
            get_logger().exception(Log.TURN_FAILED, code=Code.WORKER_ERROR)
            self._write_until_acknowledged(lambda: self._store.fail(claim, Code.WORKER_ERROR, spending=UNKNOWN))
            get_logger().warning(Log.TURN_FAILED, code=Code.WORKER_ERROR, error=repr(error))

    def _attempt(self, claim: Claim) -> None:
        settings = settings_for(claim.assistant, self._settings)
        with (
            bound(session=claim.session, attempt=claim.attempt, **_losses(claim), **_trace(claim), **_key(claim)),
            self._active_runs.hold(claim, settings) as active,
            self._emitter.open(claim) as buffer,
            run_span(claim),
        ):
            try:
                self._run_and_commit(active, buffer)
            except HistoryNotWritten as error:
                mark_failed(Code.HISTORY_WRITE_FAILED)
                self._fail(active, Code.HISTORY_WRITE_FAILED, str(error), self._spending(active))

    def _run_and_commit(self, active: ActiveRun, buffer: DeltaBuffer) -> None:
        claim = active.claim
        try:
            answer = self._generate(active, buffer)
        except Interrupted:
            self._end_stopped_run(active, buffer)
        except ModelError as error:
            self._retry_or_fail(active, buffer, error)
        else:
            spending = self._spending(active)
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
            self._write_history(commit)
            self._breaker.record_answer(claim.hold_name)
            get_logger().info(Log.TURN_COMMITTED, **log_facts(active, spending))

    def _generate(self, active: ActiveRun, buffer: DeltaBuffer) -> Answer:
        """Return the complete answer. After this method nothing can interrupt the run."""
        claim = active.claim
        try:
            get_logger().info(Log.TURN_CLAIMED, worker=self._worker, model=claim.model)
            if claim.superseded:
                active.stop(Superseded())
            active.check()
            if claim.attempt == 1:
                self._budget.earn()
            run = self._create_run(active)
            active.reported = run.reported
            run.on_event = partial(self._receive_event, active, buffer)
            with active.request.sending(), generation_span(claim, active.settings):
                self._stream_answer(run, active, buffer)
                answer = run.answer()
                record_answer(answer)
            if _is_too_large(answer, active.settings.max_answer_bytes):
                raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)
            if answer.extras:
                answer = self._store_images(answer, claim)
            parts = buffer.build_parts(answer.extras)
            return answer if parts is None else replace(answer, parts=parts)
        except (ModelError, LeaseLost, *STOPS):
            raise
        except BaseException as error:  # a chain can raise anything, and a call of sys.exit() must not end the worker
            get_logger().exception(Log.TURN_FAILED, code=Code.CHAIN_ERROR)
            raise ModelError(Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message=repr(error)) from error
        finally:
            active.mark_finished()

    def _create_run(self, active: ActiveRun) -> ChainRun:
        try:
            return self._chains.create_run(active.claim, active.settings)
        except ConfigurationError as error:  # this version of the assistant cannot be used in this process
            raise ModelError(Code.ASSISTANT_NOT_CONFIGURED, ModelErrorKind.HOPELESS, message=str(error)) from error

    def _stream_answer(self, run: ChainRun, active: ActiveRun, buffer: DeltaBuffer) -> None:
        settings, size = active.settings, 0
        # A model that does not begin to answer is not called again; one that stops in the middle is.
        active.expect_text(within_seconds=settings.first_token_seconds, lateness=ModelErrorKind.SILENT)
        for text in run.deltas(active):
            active.check()
            active.expect_text(
                within_seconds=settings.idle_seconds, lateness=ModelErrorKind.RETRYABLE, has_text=bool(text)
            )
            size += len(text.encode())
            if size > settings.max_answer_bytes:
                raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)
            buffer.append(text)
        active.check()

    def _receive_event(self, active: ActiveRun, buffer: DeltaBuffer, event: OutputEvent) -> None:
        """Send what the run has beside its text. It also shows that the run is alive."""
        settings = active.settings
        active.expect_text(within_seconds=settings.idle_seconds, lateness=ModelErrorKind.RETRYABLE)
        if not buffer.append_event(event, max_bytes=settings.max_answer_bytes):
            active.stop(ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS, message="too many events"))

    def _end_stopped_run(self, active: ActiveRun, buffer: DeltaBuffer) -> None:
        claim, spending = active.claim, self._spending(active)
        match active.stop_reason:
            case Draining():
                self._store.release(claim.turn_id, token=claim.token, spending=spending)
                get_logger().info(Log.TURN_RELEASED)
            case Superseded():
                self._write_until_acknowledged(lambda: self._emitter.flush_and_close(buffer))
                # Keep the text of this run, or that of the run before it if its worker has died.
                text, tail = (buffer.text, buffer.unsent) if buffer.text else (self._store.emitted_text(claim),) * 2
                answer = partial_answer(claim, text)
                keeps_events = not buffer.is_all_of(buffer.text)
                ends = partial(self._store.interrupt, claim, answer, tail=tail, keeps_events=keeps_events)
                self._write_history(lambda: ends(spending=spending))
                get_logger().info(Log.TURN_INTERRUPTED)
            case ModelError() as error:
                self._retry_or_fail(active, buffer, error)
            case _:
                raise LeaseLost

    def _retry_or_fail(self, active: ActiveRun, buffer: DeltaBuffer, error: ModelError) -> None:
        mark_failed(error.code)
        claim, fallback = active.claim, fallback_name(active.settings)
        spending = self._spending(active, None if buffer.text else error)
        attempt = Attempt(
            number=claim.attempt,
            has_fallback=bool(fallback) and claim.model != fallback,
            is_outage=self._is_outage(active, error),
        )
        decision = self._policy.decide(error, attempt, jitter=random.random())
        if isinstance(decision, Retry) and decision.counts and not self._budget.spend():
            decision = GiveUp(code=error.code)
        match decision:
            case Retry():
                model = fallback if decision.falls_back else claim.model
                self._write_until_acknowledged(
                    lambda: self._store.retry(
                        claim, error.code, decision, model=model, spending=spending, **active.request.ids
                    )
                )
                get_logger().info(
                    Log.TURN_RETRYING,
                    code=error.code,
                    after_seconds=decision.after_seconds,
                    error=str(error),
                    **log_facts(active, spending),
                )
            case GiveUp(code=code):
                self._fail(active, code, str(error), spending, provider_status=error.provider_status)

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

    def _write_history(self, write: Callable[[], None]) -> None:
        """Repeat a write like `_write_until_acknowledged`. Raise `HistoryNotWritten` if it cannot succeed."""
        try:
            self._write_until_acknowledged(write)
        except DiskUnavailable as error:  # the store has answered, so it can take the end of the turn
            raise HistoryNotWritten(str(error)) from error
        except (LeaseLost, StoreUnavailable):
            raise
        except Exception as error:  # such as a key that another program has replaced by one of another type
            raise HistoryNotWritten(repr(error)) from error

    def _is_outage(self, active: ActiveRun, error: ModelError) -> bool:
        """Count the result of a failed run, and return whether it shows that the model does not answer at all."""
        claim = active.claim
        if error.kind is ModelErrorKind.RATE_LIMITED:
            return False
        if not is_provider_failure(error):
            if error.code in ANSWER_CODES:
                self._breaker.record_answer(claim.hold_name)
            return False
        self._breaker.record_failure(claim.hold_name)
        late = self._active_runs.count_other_late_runs(active)
        is_open = self._breaker.is_open(claim.hold_name, error, attempt=claim.attempt, concurrent_failures=late)
        return self._settings.outage_patience_seconds > 0 and (claim.is_probe or is_open)

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


def _is_too_large(answer: Answer, max_bytes: int) -> bool:
    """Return whether the object is too large, or its images together are larger than four answers may be."""
    image_bytes = sum(len(part["url"]) for _, part in answer.extras if part["type"] == "image")
    return len((answer.data or "").encode()) > max_bytes or image_bytes > IMAGES_PER_ANSWER * max_bytes


def _losses(claim: Claim) -> dict[str, int]:
    """Return the number of lost workers if there are any."""
    return {"losses": claim.losses} if claim.losses else {}


def _key(claim: Claim) -> dict[str, str]:
    """Return the API key with which the turn was accepted, and its tenant, if the service requires keys."""
    return {"key_id": claim.key_id, "tenant": tenant_of(claim.session)} if claim.key_id else {}


def _trace(claim: Claim) -> dict[str, str]:
    """Return the id of the caller's trace if there is one."""
    return {"trace_id": claim.traceparent.split("-")[1]} if claim.traceparent else {}
