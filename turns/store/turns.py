"""The store: the verbs of a turn's life. The only module that calls Redis.

Every method raises `StoreUnavailable` when Redis cannot be reached or refuses to write.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.pubsub import Subscriptions
from turns.backend.script_loader import to_ms
from turns.backend.script_replies import Reply, TurnSnapshot, to_record
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, TurnExpired, TurnNotFailed, TurnNotFound
from turns.domain.events import START, EventType, TurnEvent
from turns.domain.ids import DEFAULT_TENANT, created_at, is_turn_id, new_token, new_turn_id, tenant_of
from turns.domain.retry import Retry
from turns.domain.state import Event, Status
from turns.domain.turn import Answer, Claim, Delta, Turn, TurnRequest
from turns.store.acceptance import Accepted, refusal
from turns.store.health import Health, living_workers, read_health
from turns.store.metrics import Metrics, read_metrics

LIST_LIMIT = 1000  # turns that one page may look at, so that the script stays far below a millisecond
RESCUE_LIMIT = 100  # turns that one rescue looks at, so that the script stays far below a millisecond a turn


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPage:
    """Some turns, newest first; `after` is the cursor of the next page, None on the last."""

    turns: tuple[Turn, ...]
    after: str | None


class TurnStore:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._scripts = Scripts(client, settings)

    # -- for callers

    def accept(self, request: TurnRequest) -> Accepted:
        """Record the turn as the last one of its session, and dispatch it if it is the only one.

        Raises `Refused`; then nothing is stored.
        """
        word, shown, wait_ms = self._scripts.accept(new_turn_id(), request)
        if shown is None:
            raise refusal(word, wait_ms=wait_ms)
        return Accepted(turn=to_turn(shown), replayed=word is Reply.REPLAYED)

    def get_turn(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn:
        """Return the tenant's turn as it is now.

        Raises `TurnNotFound`, or `TurnExpired` when results are no longer kept.
        """
        record = self._read_record(turn_id, tenant)
        if record["status"] != Status.QUEUED:
            return Turn.from_record(turn_id, record)
        snapshot = self._scripts.get_turn(turn_id, tenant=tenant)  # with its position, which other keys determine
        if snapshot is None:
            raise self._missing(turn_id)
        return to_turn(snapshot)

    def get_ended_turn(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn | None:
        """Return the tenant's turn if it has ended, None if it is live. Cheaper than `get_turn`; raises like it."""
        record = self._read_record(turn_id, tenant)
        return Turn.from_record(turn_id, record) if Status(record["status"]).is_terminal else None

    def cancel(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn:
        """The turn has ended: as cancelled if it was live, else as it had. Raises like `read`."""
        if not is_turn_id(turn_id):
            raise TurnNotFound
        self._scripts.cancel(turn_id, tenant=tenant)
        return self.get_turn(turn_id, tenant=tenant)

    def retry_failed(
        self,
        turn_id: str,
        *,
        find: Callable[[str], Assistant],
        tenant: str = DEFAULT_TENANT,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """What the failed turn asked for is its session's last turn, recorded again with its assistant as it is now.

        Raises `TurnNotFailed`, like `find`, or like `read` and `accept`.
        """
        failed = self.get_turn(turn_id, tenant=tenant)
        if failed.status is not Status.FAILED:
            raise TurnNotFailed
        assistant = find(failed.assistant)
        assistant.check_variables(failed.variables)
        return self.accept(
            TurnRequest(
                session_id=failed.session_id,
                user_id=failed.user_id,
                tenant=tenant,
                input=failed.input,
                assistant=assistant,
                variables=failed.variables,
                metadata=failed.metadata,
                lane=failed.lane,
                retry_of=turn_id,
                idempotency_key=idempotency_key,
            )
        )

    def list_turns(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        session: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        limit: int,
    ) -> TurnPage:
        """A page of the tenant's turns whose records are kept, newest first. It can be short, and not the last.

        `session` is one of the tenant's.
        """
        score, _, turn_id = (after or "").partition(".")
        (last, at), shown = self._scripts.list_turns(
            tenant=tenant,
            session=session or "",
            after=turn_id,
            score=score,
            status=status or "",
            limit=limit,
            max_reads=LIST_LIMIT,
        )
        return TurnPage(turns=tuple(map(to_turn, shown)), after=f"{at}.{last}" if last else None)

    def read_events(self, turn_id: str, *, after: str) -> list[TurnEvent]:
        """What is in the turn's event stream beyond this entry, oldest first."""
        entries = cast(list[Any], self._client.xrange(keys.EVENTS(turn_id), f"({after}"))
        return [TurnEvent.from_entry(*entry) for entry in entries]

    def last_event_id(self, turn_id: str) -> str:
        """How far the turn's event stream has come; `START` where it has no entry."""
        entries = cast(list[Any], self._client.xrevrange(keys.EVENTS(turn_id), count=1))
        return entries[0][0].decode() if entries else START

    def subscriptions(self) -> Subscriptions:
        """What a process hears from this store; not started yet."""
        return Subscriptions(self._client)

    def living_workers(self) -> list[str]:
        """The names of the living workers."""
        return living_workers(self._client)

    def read_health(self) -> Health:
        """What the store promises and who works on it at this moment."""
        return read_health(self._client, replicas=self._settings.replicas)

    def read_metrics(self) -> Metrics:
        """What was counted and timed since the store began, and how things are now."""
        return read_metrics(self._client)

    # -- for workers

    def claim(self, turn_id: str, *, worker: str, model: str = "", fallback_model: str = "") -> Claim | None:
        """The right to run the turn, or None when there is nothing to do: a hint may be lost, late or doubled.

        `model` and `fallback_model` are for assistants that name none; the claim says which one to ask now.
        """
        if not is_turn_id(turn_id):
            return None
        token = new_token()
        word, record, messages, definition = self._scripts.claim(
            turn_id, token=token, worker=worker, model=model, fallback_model=fallback_model
        )
        if word is not Reply.CLAIMED:
            return None
        return Claim.from_record(turn_id, token, record, messages, definition)

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """The leases of these claims run for another lease time. Returns the tokens of the runs to stop:

        LOST ones have no lease any more; SUPERSEDED ones do, for what they have said so far.
        """
        return self._scripts.renew([(claim.turn_id, claim.token) for claim in claims])

    def emit(self, pieces: Sequence[Delta]) -> list[tuple[str, Reply]]:
        """These pieces are in their turns' streams, each once. Returns the tokens of the runs to stop, as `renew`."""
        return self._scripts.emit(pieces)

    def commit(self, claim: Claim, answer: Answer, *, tail: str) -> None:
        """The turn is completed: history, result and the session's next turn, all at once. Raises `LeaseLost`.

        `tail` is the last piece of the answer, as far as it was not emitted yet.
        """
        record = {"output": answer.output, "model": answer.model}
        if answer.usage:
            record["usage"] = json.dumps(asdict(answer.usage))
        if answer.status_reason:
            record["status_reason"] = answer.status_reason
        self._hold(
            self._scripts.commit(
                claim.turn_id,
                token=claim.token,
                question=answer.question_message,
                between=answer.between_messages,
                answer=answer.answer_message,
                tail=tail,
                record=record,
            )
        )

    def interrupt(self, claim: Claim, answer: Answer, *, tail: str) -> None:
        """The turn is incomplete: its question and what it has said so far are history. Raises `LeaseLost`."""
        self._hold(
            self._scripts.interrupt(
                claim.turn_id,
                token=claim.token,
                question=answer.question_message,
                answer=answer.answer_message,
                tail=tail,
                output=answer.output,
            )
        )

    def emitted_text(self, claim: Claim) -> str:
        """What the claim before this one has emitted: the text that its worker left behind when it died."""
        before = self.read_events(claim.turn_id, after=f"{claim.number - 1}-0")
        if any(event.type is EventType.RESET and event.text == Event.RETRY for event in before):
            return ""  # its worker lived, and found the text void
        return "".join(event.text for event in before if event.type is EventType.DELTA)

    def fail(self, claim: Claim, code: Code) -> None:
        """The turn has failed for good, without effect on its session's history. Raises `LeaseLost`."""
        self._hold(self._scripts.fail(claim.turn_id, token=claim.token, code=code))

    def retry(self, claim: Claim, code: Code, decision: Retry, *, model: str) -> None:
        """The turn waits for another attempt with `model`, at the head of its session. Raises `LeaseLost`."""
        self._hold(
            self._scripts.fail(
                claim.turn_id,
                token=claim.token,
                code=code,
                retry_in_ms=to_ms(decision.after_seconds),
                counts=decision.counts,
                model=model,
                pause_ms=to_ms(decision.pause_seconds),
            )
        )

    def release(self, turn_id: str, *, token: str = "") -> None:
        """The turn is dispatched again at once. Without a token: a head that this worker did not claim."""
        self._scripts.release(turn_id, token=token)

    def rescue(self, *, worker: str, hint: str) -> list[tuple[str, Reply]]:
        """What was due has been looked at, and this worker has been seen alive. Turn ids and what was done."""
        return self._scripts.rescue(worker=worker, limit=RESCUE_LIMIT, hint=hint)

    def is_drained(self, worker: str) -> bool:
        """An operator has told this worker to finish what it runs and to end."""
        return bool(self._client.exists(keys.DRAINED(worker)))

    def remove_worker(self, worker: str) -> None:
        """The worker is no longer counted among the living."""
        self._client.zrem(keys.WORKERS.name, worker)

    # -- below

    def _hold(self, word: Reply) -> None:
        if word is Reply.LOST:
            raise LeaseLost

    def _read_record(self, turn_id: str, tenant: str) -> dict[str, str]:
        if not is_turn_id(turn_id):
            raise TurnNotFound
        record = to_record(cast(dict[bytes, bytes], self._client.hgetall(keys.TURN(turn_id))))
        if not record or tenant_of(record["session"]) != tenant:
            raise self._missing(turn_id)
        return record

    def _missing(self, turn_id: str) -> TurnNotFound | TurnExpired:
        """A live turn is never gone, and an ended one is kept for the retention; so an older id has expired."""
        age_seconds = time.time() - created_at(turn_id) / 1000
        return TurnExpired() if age_seconds > self._settings.result_ttl_seconds else TurnNotFound()


def to_turn(shown: TurnSnapshot) -> Turn:
    return Turn.from_record(
        shown.turn_id, shown.record, position=shown.position, ahead=shown.ahead, pace_ms=shown.pace_ms
    )
