"""The execution of one turn after its hint: claim, run, commit."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from turns.assistants.overrides import settings_for
from turns.assistants.prices import Prices
from turns.config.logs import Log, bound, get_logger
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, LeaseLost, ModelError, ModelErrorKind, StoreUnavailable
from turns.domain.events import OutputEvent
from turns.domain.ids import tenant_of
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.store.turns import TurnStore
from worker.langchain.chain import ChainRun
from worker.langchain.chain_cache import ChainCache
from worker.provider.models import fallback_name
from worker.run.active_runs import ActiveRun, ActiveRuns, Clock, Superseded
from worker.run.failure_policy import FailurePolicy
from worker.run.interrupt import STOPS, Interrupted
from worker.run.outcome_writer import OutcomeWriter
from worker.run.output.event_buffer import DeltaBuffer, DeltaEmitter
from worker.run.spans import generation_span, record_answer, run_span

IMAGES_PER_ANSWER = 4  # size of all images of an answer, in sizes of the largest text


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
        self._failures = FailurePolicy(settings, active_runs)
        self._outcomes = OutcomeWriter(store, emitter, self._failures, prices=prices, clock=clock, sleep=sleep)
        self._worker = worker
        self._wait_to_claim = wait_to_claim
        self._store_images = store_images
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
            self._outcomes.fail_unknown(claim, repr(error))

    def _attempt(self, claim: Claim) -> None:
        settings = settings_for(claim.assistant, self._settings)
        with (
            bound(session=claim.session, attempt=claim.attempt, **_losses(claim), **_trace(claim), **_key(claim)),
            self._active_runs.hold(claim, settings) as active,
            self._emitter.open(claim) as buffer,
            run_span(claim),
        ):
            self._run_to_outcome(active, buffer)

    def _run_to_outcome(self, active: ActiveRun, buffer: DeltaBuffer) -> None:
        try:
            answer = self._generate(active, buffer)
        except Interrupted:
            self._outcomes.end_stopped(active, buffer)
        except ModelError as error:
            self._outcomes.retry_or_fail(active, buffer, error)
        else:
            self._outcomes.commit(active, buffer, answer)

    def _generate(self, active: ActiveRun, buffer: DeltaBuffer) -> Answer:
        """Return the complete answer. After this method nothing can interrupt the run."""
        claim = active.claim
        try:
            get_logger().info(Log.TURN_CLAIMED, worker=self._worker, model=claim.model)
            if claim.superseded:
                active.stop(Superseded())
            active.check()
            if claim.attempt == 1:
                self._failures.count_first_attempt()
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
