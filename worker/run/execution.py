"""One hint, from claim to commit, as named steps."""

import random
import time
from collections.abc import Callable

from turns.assistants.overrides import settings_for
from turns.config.logs import Log, bound, get_logger
from turns.config.settings import Settings
from turns.config.tracing import span
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, ModelError, ModelErrorKind, StoreUnavailable
from turns.domain.retry import Attempt, GiveUp, Retry, RetryBudget, RetryPolicy
from turns.domain.turn import Answer, Claim
from turns.store.turns import TurnStore
from worker.langchain.chain import Run
from worker.langchain.chain_cache import Chains
from worker.provider.models import fallback_name, model_name
from worker.run.active_runs import COMMIT_PATIENCE_SECONDS, ActiveRun, ActiveRuns, Draining, Superseded
from worker.run.event_buffer import DeltaBuffer, DeltaEmitter
from worker.run.interrupt import STOPS, Interrupted


class Execution:
    def __init__(
        self,
        store: TurnStore,
        chains: Chains,
        leases: ActiveRuns,
        emitter: DeltaEmitter,
        settings: Settings,
        *,
        worker: str,
    ) -> None:
        self._store = store
        self._chains = chains
        self._leases = leases
        self._flusher = emitter
        self._settings = settings
        self._policy = RetryPolicy(
            max_attempts=settings.max_attempts,
            max_wait_seconds=settings.patience_seconds,
            base_seconds=settings.retry_seconds,
        )
        self._budget = RetryBudget()
        self._worker = worker
        self._is_draining = False

    def drain(self) -> None:
        """No further turn begins here."""
        self._is_draining = True

    def run(self, turn_id: str) -> None:
        """The turn has been claimed and its attempt has ended, or there was nothing to do."""
        with bound(turn_id=turn_id):
            try:
                self._run(turn_id)
            except LeaseLost:
                get_logger().info(Log.LEASE_LOST)
            except StoreUnavailable as error:
                # The due index gives the turn to a worker that reaches the store.
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))

    def _run(self, turn_id: str) -> None:
        if self._is_draining:
            return self._store.release(turn_id)
        claim = self._store.claim(
            turn_id,
            worker=self._worker,
            model=model_name(self._settings),
            fallback_model=fallback_name(self._settings),
        )
        if claim is None:
            return None
        settings = settings_for(claim.assistant, self._settings)
        with (
            bound(session=claim.session, attempt=claim.attempt, **_trace(claim)),
            self._leases.hold(claim, total_seconds=settings.total_seconds) as held,
            self._flusher.listen(claim) as speech,
            span(
                "run_turn",
                parent=claim.traceparent,
                kind="CONSUMER",
                inturn__turn__id=turn_id,
                inturn__attempt=claim.attempt,
            ),
        ):
            get_logger().info(Log.TURN_CLAIMED, worker=self._worker, model=claim.model)
            return self._conclude(claim, held, speech, settings)

    def _conclude(self, claim: Claim, held: ActiveRun, speech: DeltaBuffer, settings: Settings) -> None:
        run = self._chains.run(claim)
        try:
            answer = self._generate(run, speech, claim, held, settings)
        except Interrupted:
            self._stop(run, speech, claim, held.reason)
        except ModelError as error:
            self._settle(claim, error)
        else:
            self._until_said(lambda: self._flusher.settle(speech))
            self._until_said(lambda: self._store.commit(claim, answer, tail=speech.unsent))
            get_logger().info(Log.TURN_COMMITTED)

    def _generate(self, run: Run, speech: DeltaBuffer, claim: Claim, held: ActiveRun, settings: Settings) -> Answer:
        """The answer of a run that has come to its end; nothing stops it any more."""
        try:
            if claim.superseded:
                held.stop(Superseded())
            held.check()
            if claim.attempt == 1:
                self._budget.earn()
            with span(
                f"chat {claim.model}", kind="CLIENT", gen_ai__operation__name="chat", gen_ai__request__model=claim.model
            ):
                self._speak(run, speech, held, settings)
            return run.answer()
        except (ModelError, LeaseLost, *STOPS):
            raise
        except BaseException as error:  # the one place that turns the unknown into a failure, also a chain's sys.exit()
            get_logger().exception(Log.TURN_FAILED, code=Code.CHAIN_ERROR)
            raise ModelError(Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message=repr(error)) from error
        finally:
            held.seal()

    def _speak(self, run: Run, speech: DeltaBuffer, held: ActiveRun, settings: Settings) -> None:
        """`settings` are the assistant's."""
        size = 0
        # A model that does not even begin is not asked again; one that stops in mid-answer is.
        held.expect(within_seconds=settings.first_token_seconds, lateness=ModelErrorKind.HOPELESS)
        for piece in run.pieces(held.check):
            held.check()
            held.expect(within_seconds=settings.idle_seconds, lateness=ModelErrorKind.RETRYABLE)
            size += len(piece.encode())
            if size > self._settings.max_answer_bytes:
                raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)
            speech.say(piece)

    def _stop(self, run: Run, speech: DeltaBuffer, claim: Claim, reason: Exception | None) -> None:
        match reason:
            case Draining():
                self._store.release(claim.turn_id, token=claim.token)
                get_logger().info(Log.TURN_RELEASED)
            case Superseded():
                self._until_said(lambda: self._flusher.settle(speech))
                # Said by this run, or by the one before it, whose worker died.
                text, tail = (speech.text, speech.unsent) if speech.text else (self._store.emitted_text(claim),) * 2
                self._until_said(lambda: self._store.interrupt(claim, run.answer_so_far(text), tail=tail))
                get_logger().info(Log.TURN_INTERRUPTED)
            case ModelError():
                self._settle(claim, reason)
            case _:
                raise LeaseLost

    def _settle(self, claim: Claim, error: ModelError) -> None:
        fallback = fallback_name(settings_for(claim.assistant, self._settings))
        attempt = Attempt(
            number=claim.attempt,
            waited_seconds=claim.waited_ms / 1000,
            has_fallback=bool(fallback) and claim.model != fallback,
        )
        decision = self._policy.decide(error, attempt, jitter=random.random())
        if isinstance(decision, Retry) and decision.counts and not self._budget.spend():
            decision = GiveUp(code=error.code)
        match decision:
            case Retry():
                following = fallback if decision.falls_back else claim.model
                self._until_said(lambda: self._store.retry(claim, error.code, decision, model=following))
                get_logger().info(
                    Log.TURN_RETRYING, code=error.code, after_seconds=decision.after_seconds, error=str(error)
                )
            case GiveUp(code=code):
                self._until_said(lambda: self._store.fail(claim, code))
                get_logger().warning(Log.TURN_FAILED, code=code, error=str(error))

    def _until_said(self, write: Callable[[], None]) -> None:
        """Asks the store until it has answered; what it says is the same each time. Raises `LeaseLost`."""
        give_up_at = time.monotonic() + COMMIT_PATIENCE_SECONDS
        while True:
            try:
                return write()
            except StoreUnavailable:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(random.random())


def _trace(claim: Claim) -> dict[str, str]:
    """The id of the caller's trace, if it named one."""
    return {"trace_id": claim.traceparent.split("-")[1]} if claim.traceparent else {}
