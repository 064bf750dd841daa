"""One hint, from claim to commit, as named steps."""

import random
import time
from collections.abc import Callable, Mapping

import structlog

from turns.codes import Code
from turns.errors import LeaseLost, ModelError, ModelErrorKind, StoreUnavailable
from turns.logs import Log, get_logger
from turns.retry import GiveUp, Retry, RetryPolicy
from turns.settings import Settings
from turns.store import TurnStore
from turns.turn import Answer, Claim
from worker.chain import Chain, Run
from worker.lease import Held, Interrupted, Leases

FLUSH_SECONDS = 0.05  # at most 20 events a second: more is faster than anybody reads, and costs a write each
COMMIT_PATIENCE_SECONDS = 60.0  # the answer is paid for; a store that restarts takes seconds


class Execution:
    def __init__(
        self,
        store: TurnStore,
        chains: Mapping[str, Chain],
        leases: Leases,
        settings: Settings,
        *,
        worker: str,
        model: str,
        interrupter: Callable[[], Callable[[], None]],
    ) -> None:
        self._store = store
        self._chains = chains
        self._leases = leases
        self._settings = settings
        self._policy = RetryPolicy(max_attempts=settings.max_attempts)
        self._worker = worker
        self._model = model
        self._interrupter = interrupter

    def run(self, turn_id: str) -> None:
        """The turn has been claimed and its attempt has ended, or there was nothing to do."""
        claim = self._store.claim(turn_id, worker=self._worker)
        if claim is None:
            return
        with structlog.contextvars.bound_contextvars(turn_id=turn_id, session=claim.session, attempt=claim.attempt):
            get_logger().info(Log.TURN_CLAIMED)
            with self._leases.hold(claim, self._interrupter()) as held:
                try:
                    self._attempt(claim, held)
                except (LeaseLost, Interrupted):
                    get_logger().info(Log.LEASE_LOST)
                except StoreUnavailable as error:
                    # The lease runs out, and the rescuer gives the turn to a worker that reaches the store.
                    get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))

    def _attempt(self, claim: Claim, held: Held) -> None:
        try:
            answer, tail = self._generate(claim, held)
        except ModelError as error:
            self._settle(claim, error)
        except (LeaseLost, StoreUnavailable):
            raise
        except Exception as error:  # the one place that turns the unknown into a failure
            get_logger().exception(Log.TURN_FAILED, code=Code.CHAIN_ERROR)
            self._settle(claim, ModelError(Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message=repr(error)))
        else:
            self._commit(claim, answer, tail)
            get_logger().info(Log.TURN_COMMITTED)

    def _generate(self, claim: Claim, held: Held) -> tuple[Answer, str]:
        """The answer, and its last piece, which goes with the commit."""
        run = Run(self._chains, claim, model=self._model)
        started = flushed = time.monotonic()
        emitted, unsent, size = 0, "", 0
        for piece in run.pieces():
            now = time.monotonic()
            held.check()
            size += len(piece.encode())
            if size > self._settings.max_answer_bytes:
                raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)
            if now - started > self._settings.total_seconds:
                raise ModelError(Code.PROVIDER_TIMEOUT, ModelErrorKind.RETRYABLE, message="total time")
            unsent += piece
            if emitted == 0 or now - flushed >= FLUSH_SECONDS:
                self._store.emit(claim, emitted, unsent)
                emitted, unsent, flushed = emitted + 1, "", now
        return run.answer(), unsent

    def _commit(self, claim: Claim, answer: Answer, tail: str) -> None:
        """Asks until the store has answered: what it says is the same each time."""
        give_up_at = time.monotonic() + COMMIT_PATIENCE_SECONDS
        while True:
            try:
                return self._store.commit(claim, answer, tail=tail)
            except Interrupted:
                continue  # it came too late; the store decides who was first
            except StoreUnavailable:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(random.random())

    def _settle(self, claim: Claim, error: ModelError) -> None:
        decision = self._policy.decide(error, attempt=claim.attempt, jitter=random.random())
        match decision:
            case Retry(after_seconds=after, counts=counts):
                self._store.retry(claim, error.code, after_seconds=after, counts=counts)
                get_logger().info(Log.TURN_RETRYING, code=error.code, after_seconds=after, error=str(error))
            case GiveUp(code=code):
                self._store.fail(claim, code)
                get_logger().warning(Log.TURN_FAILED, code=code, error=str(error))
