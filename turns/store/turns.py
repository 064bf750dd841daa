"""The turn store: the verbs of a turn's life, for callers and for workers."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.pubsub import Subscriptions
from turns.backend.record import compress_texts, to_turn_record
from turns.backend.script_loader import to_ms
from turns.backend.script_replies import Reply, StoreIdentity, TurnSnapshot
from turns.backend.scripts import Scripts
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.coordination.hold_news import HoldNews
from turns.domain.assistant import Assistant
from turns.domain.content.parts import file_ids
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, Refused, StoreUnavailable, TurnExpired, TurnNotFailed, TurnNotFound
from turns.domain.events import START, EventType, TurnEvent
from turns.domain.ids import DEFAULT_TENANT, created_at, is_turn_id, new_token, new_turn_id, tenant_of, user_key
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim, Delta
from turns.domain.run.retry import Retry
from turns.domain.run.spending import Spending
from turns.domain.state import Event, Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.acceptance import Accepted, refusal
from turns.store.dead_workers import find_running_turns
from turns.store.health import Health, read_health
from turns.store.intake import RefusalCounter, SafetyCheck
from turns.store.metrics import Metrics, read_metrics
from turns.store.pruning import prune_sessions
from turns.store.repair import repair
from turns.store.session_scripts import SessionScripts
from turns.store.worker_scripts import WorkerScripts

LIST_LIMIT = 1000  # turns that the script reads for one page, so that it takes far less than a millisecond
RESCUE_LIMIT = 100  # due turns that one run of the script processes, so that it blocks Redis only for milliseconds
NOTHING = Spending()
TAKEOVER_SECONDS = 2  # a takeover takes milliseconds; after this time its worker counts as dead too


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPage:
    """A page of turns, newest first; `after` is the cursor of the next page, None on the last."""

    turns: tuple[Turn, ...]
    after: str | None


class TurnStore:
    """Every method raises `StoreUnavailable` if Redis cannot be reached or refuses to write."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._scripts = Scripts(client, settings)
        self._worker_scripts = WorkerScripts(client, settings)
        self._session_scripts = SessionScripts(client, settings)
        self._safety = SafetyCheck(client, settings)
        self._refusals = RefusalCounter(self._scripts)
        self.hold_news = HoldNews()  # what its runs find out about models, for the other partitions of a Redis Cluster

    # -- for callers

    def accept(self, request: TurnRequest) -> Accepted:
        """Record the turn as the last one of its session, and dispatch it if it is the only one.

        Raises `Refused`; then nothing is stored. Refusals are counted.
        """
        try:
            self._safety.check()
            outcome, snapshot, wait_ms = self._scripts.accept(self._new_turn_id(request), request)
            if snapshot is None:
                raise refusal(outcome, wait_ms=wait_ms)
        except (Refused, StoreUnavailable) as error:
            self._refusals.count(error)
            raise
        return Accepted(turn=to_turn(snapshot), replayed=outcome is Reply.REPLAYED)

    def get_turn(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn:
        """Return a turn of the tenant. Raises `TurnNotFound`, or `TurnExpired` after the result retention."""
        record = self._read_record(turn_id, tenant)
        if record["status"] != Status.QUEUED:
            return Turn.from_record(turn_id, record)
        snapshot = self._scripts.get_turn(turn_id, tenant=tenant)  # with its position, which other keys determine
        if snapshot is None:
            raise self._not_found(turn_id)
        return to_turn(snapshot)

    def get_ended_turn(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn | None:
        """Return a turn if it has ended, None if it is live. Cheaper than `get_turn`; raises like it."""
        record = self._read_record(turn_id, tenant)
        return Turn.from_record(turn_id, record) if Status(record["status"]).is_terminal else None

    def cancel(self, turn_id: str, *, tenant: str = DEFAULT_TENANT, keeps: bool = False) -> Turn:
        """Cancel a turn if it is live, and return it. Raises like `get_turn`.

        `keeps`: let its worker end a running turn, with its question and its partial answer in the history.
        """
        if not is_turn_id(turn_id):
            raise TurnNotFound
        self._scripts.cancel(turn_id, tenant=tenant, keeps=keeps)
        return self.get_turn(turn_id, tenant=tenant)

    def retry_failed(
        self,
        turn_id: str,
        *,
        find: Callable[[str], Assistant],
        tenant: str = DEFAULT_TENANT,
        idempotency_key: str | None = None,
        request_id: str | None = None,
        key_id: str | None = None,
        if_version: int | None = None,
    ) -> Accepted:
        """Accept the request of a failed turn again, with the present version of its assistant.

        `find` returns the assistant. `key_id`: that of the failed turn, if it is None. Raises `TurnNotFailed`, like
        `find`, or like `get_turn` and `accept`.
        """
        failed = self.get_turn(turn_id, tenant=tenant)
        if failed.status is not Status.FAILED:
            raise TurnNotFailed
        assistant = find(failed.assistant)
        assistant.check_variables(failed.variables)
        assistant.check_parts(failed.parts)
        return self.accept(
            TurnRequest(
                session_id=failed.session_id,
                user_id=failed.user_id,
                tenant=tenant,
                input=failed.input,
                parts=failed.parts,
                assistant=assistant,
                variables=failed.variables,
                metadata=failed.metadata,
                lane=failed.lane,
                retry_of=turn_id,
                regenerates=None if failed.forked_from else failed.regenerates,
                response_format=failed.response_format,
                past=failed.past,
                instructions=failed.instructions,
                idempotency_key=idempotency_key,
                request_id=request_id,
                key_id=key_id or failed.key_id,
                if_version=if_version,
            )
        )

    def list_turns(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        session: str | None = None,
        user_id: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        limit: int,
    ) -> TurnPage:
        """Return a page of the tenant's turns that have a record. It may be short although it is not the last.

        `session` must be a session of the tenant; with it, `user_id` has no effect.
        """
        score, _, turn_id = (after or "").partition(".")
        (last, at), found = self._scripts.list_turns(
            tenant=tenant,
            session=session or "",
            user=user_key(user_id, tenant) if user_id else "",
            after=turn_id,
            score=score,
            status=status or "",
            limit=limit,
            max_reads=LIST_LIMIT,
        )
        return TurnPage(turns=tuple(map(to_turn, found)), after=f"{at}.{last}" if last else None)

    def read_events(self, turn_id: str, *, after: str) -> list[TurnEvent]:
        """Return the events after this entry that are in the stream, oldest first; none of a folded one."""
        entries = cast(list[Any], self._client.xrange(keys.EVENTS(turn_id), f"({after}"))
        return [event for entry in entries if (event := TurnEvent.from_entry(*entry))]

    def last_event_id(self, turn_id: str) -> str:
        """Return the id of the last entry in the turn's event stream, or `START` if it has none or is folded."""
        entries = cast(list[Any], self._client.xrevrange(keys.EVENTS(turn_id), count=1))
        return entries[0][0].decode() if entries else START

    def subscriptions(self) -> Subscriptions:
        """Return the subscriptions of a process, which it must start."""
        return Subscriptions(self._client)

    def read_health(self) -> Health:
        """Return the present state of the store and the number of live workers."""
        return read_health(self._client, self._settings)

    def read_metrics(self) -> Metrics:
        """Return the counters and histograms since the store was created, and the current gauges."""
        self._refusals.flush()
        return read_metrics(self._client)

    # -- for workers

    def claim(self, turn_id: str, *, worker: str, model: str = "", fallback_model: str = "") -> Claim | None:
        """Return a claim on the turn, or None if it cannot run now, because a hint may be late or duplicated.

        `model` and `fallback_model` are the defaults for assistants without their own; the claim has the one to use.
        """
        if not is_turn_id(turn_id):
            return None
        token = new_token()
        try:
            outcome, record, messages, definition = self._scripts.claim(
                turn_id, token=token, worker=worker, model=model, fallback_model=fallback_model
            )
            if outcome is not Reply.CLAIMED:
                return None
            return Claim.from_record(turn_id, token, record, messages, definition)
        except StoreUnavailable:
            raise
        except Exception:  # a record that another program has changed; each further claim would raise again
            get_logger().exception(Log.TURN_FAILED, code=Code.WORKER_ERROR)
            self._scripts.fail(turn_id, token=token, code=Code.WORKER_ERROR, spent=NOTHING.packed)
            return None

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """Renew the leases of claims; return the tokens of the runs to stop, each with LOST or SUPERSEDED.

        A superseded run still has its lease, so that it can end with its partial answer.
        """
        return self._scripts.renew([(claim.turn_id, claim.token) for claim in claims])

    def emit(self, pieces: Sequence[Delta]) -> list[tuple[str, Reply]]:
        """Append the pieces to the event streams of their turns, each once; return the same as `renew`."""
        return self._scripts.emit(pieces)

    def commit(
        self,
        claim: Claim,
        answer: Answer,
        *,
        tail: str,
        keeps_events: bool = True,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        """Complete the turn: in one step, write history and result and dispatch the session's next turn.

        `tail` is the part of the answer that was not emitted yet, `spending` what the run took. `keeps_events`: the
        run has emitted something else than the output, so its event stream must be kept for late readers.

        Raises `LeaseLost`.
        """
        record = _answer_fields(claim, answer)
        if not keeps_events:
            record["text_end"] = str(len(answer.output))
        if provider_request_id:
            record["provider_request_id"] = provider_request_id
        outcome = self._scripts.commit(
            claim.turn_id,
            token=claim.token,
            question=answer.question_message,
            between=answer.between_messages,
            answer=answer.answer_message,
            tail=tail,
            spent=spending.packed,
            record=record,
        )
        _check_lease(outcome)

    def interrupt(
        self, claim: Claim, answer: Answer, *, tail: str, keeps_events: bool = True, spending: Spending = NOTHING
    ) -> None:
        """End the turn as incomplete, with its partial answer in the history, like `commit`. Raises `LeaseLost`."""
        outcome = self._scripts.interrupt(
            claim.turn_id,
            token=claim.token,
            question=answer.question_message,
            answer=answer.answer_message,
            tail=tail,
            output=answer.output,
            spent=spending.packed,
            text_end=None if keeps_events else len(answer.output),
        )
        _check_lease(outcome)

    def emitted_text(self, claim: Claim) -> str:
        """Return the text of the previous claim, whose worker died; '' if it ended by a retry instead."""
        before = self.read_events(claim.turn_id, after=f"{claim.number - 1}-0")
        if any(event.type is EventType.RESET and event.text == Event.RETRY for event in before):
            return ""  # The worker itself discarded the text.
        return "".join(event.text for event in before if event.type is EventType.DELTA)

    def fail(
        self,
        claim: Claim,
        code: Code,
        *,
        provider_status: int | None = None,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        """End the turn as failed, without an effect on the history. Raises `LeaseLost`."""
        outcome = self._scripts.fail(
            claim.turn_id,
            token=claim.token,
            code=code,
            provider_status=provider_status,
            provider_request_id=provider_request_id,
            spent=spending.packed,
        )
        _check_lease(outcome)

    def retry(
        self,
        claim: Claim,
        code: Code,
        decision: Retry,
        *,
        model: str,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        """Queue the turn, still the head of its session, for a retry with `model`. Raises `LeaseLost`."""
        outcome = self._scripts.fail(
            claim.turn_id,
            token=claim.token,
            code=code,
            retry_in_ms=to_ms(decision.after_seconds),
            counts=decision.counts,
            model=model,
            hold=decision.hold,
            provider_request_id=provider_request_id,
            spent=spending.packed,
        )
        _check_lease(outcome)

    def reopen(self, claim: Claim) -> None:
        """Let other turns call the model of this claim, which an admitted turn has found to answer."""
        self._scripts.reopen(claim.hold_name, turn_id=claim.turn_id)

    def lift_hold(self, name: str) -> bool:
        """Let the turns that wait for a model start, oldest first; return false if there is no such hold."""
        return self._scripts.reopen(name) is Reply.REOPENED

    def record_silence(self, claim: Claim, *, is_silent: bool, since_seconds: float) -> None:
        """Record that a run which has begun its answer sends no text, or does so again, since this long."""
        self._scripts.record_silence(
            claim.turn_id, token=claim.token, is_silent=is_silent, since_ms=to_ms(since_seconds)
        )

    def release(self, turn_id: str, *, token: str = "", spending: Spending = NOTHING) -> None:
        """Dispatch the turn again at once. Without a token it must be a head that no worker has claimed."""
        self._scripts.release(turn_id, token=token, spent=spending.packed)

    def rescue(self, *, worker: str, hint: str, slots: int = 0) -> list[tuple[str, Reply]]:
        """Process due turns and record a heartbeat of the worker; return the turn ids with their outcomes.

        `slots` is the number of turns that the worker can run at once, or 0 if that is unknown.
        """
        return self._scripts.rescue(worker=worker, limit=RESCUE_LIMIT, hint=hint, slots=slots)

    def rescue_worker(self, worker: str, *, is_forced: bool = False) -> list[tuple[str, Reply]]:
        """Take all turns away from a worker that is known to be dead; return the turn ids with RESCUED or LOST.

        `is_forced`: also from one that still has its subscription, and may live.
        """
        rescued: list[tuple[str, Reply]] = []
        for turn_ids in find_running_turns(self._client, worker):
            outcomes = self._worker_scripts.rescue_worker(worker, turn_ids, is_forced=is_forced)
            rescued += [(turn_id, outcome) for turn_id, outcome in outcomes if outcome is not Reply.GONE]
        return rescued

    def repair(self, *, worker: str) -> Iterator[tuple[str, Reply]]:
        """Repair damaged indexes, at most once a minute; yield what was not in order, each with what was done.

        Once an hour, remove expired sessions from the lists.
        """
        yield from repair(self._client, self._worker_scripts, worker=worker)
        prune_sessions(self._client, self._session_scripts, worker=worker)

    def register_worker(self, worker: str, *, model: str, again: bool) -> set[str]:
        """Let other workers notice at once when the subscription of this worker ends.

        `again` means that this process was registered before. Return the default models of registered workers that
        have another one than `model`.
        """
        return self._worker_scripts.register_worker(worker, model=model, again=again)

    def find_vanished(self, worker: str) -> tuple[int, frozenset[str]]:
        """Return the number of registered workers, and those whose subscription has ended; ask as this worker."""
        return self._worker_scripts.find_vanished(worker)

    def begin_takeover(self, worker: str) -> bool:
        """Return true for one of the workers that have found this one vanished, and for another one if that dies."""
        return bool(self._client.set(keys.TAKEOVER(worker), 1, nx=True, ex=TAKEOVER_SECONDS))

    def remove_vanished(self, worker: str) -> bool:
        """Remove a worker whose subscription has ended. Return whether it was there and has not returned."""
        return self._worker_scripts.remove_vanished(worker) is Reply.LOST

    def is_drained(self, worker: str) -> bool:
        """Return whether an operator has asked this worker to finish its runs and exit."""
        return bool(self._client.exists(keys.DRAINED(worker)))

    def remove_worker(self, worker: str) -> None:
        """Remove a worker that exits from the live workers."""
        self._worker_scripts.remove_worker(worker)

    def report_process(
        self, process: str, *, kind: str, proposed_id: str, needs_keys: bool, fields: Mapping[str, str]
    ) -> StoreIdentity:
        """Record a process of the installation for the next minutes; return which store this is.

        `needs_keys`: the process knows that callers need an API key, which an emptied store has forgotten.
        """
        return self._worker_scripts.report_process(
            process, kind=kind, proposed_id=proposed_id, needs_keys=needs_keys, fields=fields
        )

    def _new_turn_id(self, request: TurnRequest) -> str:
        return new_turn_id(request.request_id, partition=self._client.partition_number)

    def _read_record(self, turn_id: str, tenant: str) -> dict[str, str]:
        if not is_turn_id(turn_id):
            raise TurnNotFound
        record = to_turn_record(cast(dict[bytes, bytes], self._client.hgetall(keys.TURN(turn_id))))
        if not record or tenant_of(record["session"]) != tenant:
            raise self._not_found(turn_id)
        return record

    def _not_found(self, turn_id: str) -> TurnNotFound | TurnExpired:
        """Return the exception for a turn without a record: expired if its id is older than the retention."""
        age_seconds = time.time() - created_at(turn_id) / 1000
        return TurnExpired() if age_seconds > self._settings.result_ttl_seconds else TurnNotFound()


def to_turn(found: TurnSnapshot) -> Turn:
    return Turn.from_record(
        found.turn_id, found.record, position=found.position, ahead=found.ahead, pace_ms=found.pace_ms
    )


def _answer_fields(claim: Claim, answer: Answer) -> dict[str, str | bytes]:
    """Return the fields of the record that an answer determines; long texts are compressed together."""
    record: dict[str, str | bytes] = {"model": answer.model}
    if texts := compress_texts(claim.input, answer.output):
        record["texts"] = texts
    else:
        record["output"] = answer.output
    if answer.usage:
        record["usage"] = answer.usage.to_stored()
    if answer.data is not None:
        record["output_data"] = answer.data
    if answer.parts is not None:
        record["output_parts"] = answer.parts
    if answer.files:
        record["files"] = " ".join([*file_ids(claim.parts), *answer.files])
    if answer.status_reason:
        record["status_reason"] = answer.status_reason
    return record


def _check_lease(outcome: Reply) -> None:
    if outcome is Reply.LOST:
        raise LeaseLost
