"""The Lua scripts of turns as typed methods, one for each verb. Only these scripts change turns.

The contract of a script is the header of its file.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple

from turns.backend.script_loader import TURN_VERBS, to_ms
from turns.backend.script_replies import (
    LiveCount,
    Reply,
    SessionSnapshot,
    StoreIdentity,
    TurnSnapshot,
    to_outcomes,
    to_record,
)
from turns.backend.script_runner import ScriptRunner
from turns.domain.assistant import Lane
from turns.domain.content.parts import Part, file_ids, to_json
from turns.domain.ids import forked_session_id
from turns.domain.messages import to_lines
from turns.domain.run.claim import Delta
from turns.domain.run.retry import Hold
from turns.domain.turn_request import TurnRequest
from turns.domain.worker_kind import WorkerKind, kind_of

EDITING = ("forked_from", "regenerates")
OPTIONAL = (
    "retry_of",
    "traceparent",
    "request_id",
    "key_id",
    "response_format",
    "instructions",
)  # fields of the record that not every turn has


class Scripts(ScriptRunner):
    verbs = TURN_VERBS

    def accept(self, turn_id: str, request: TurnRequest) -> tuple[Reply, TurnSnapshot | None, int]:
        """Return the outcome and the accepted turn; for a replayed request, the turn that was accepted for it before.

        If the turn is refused there is no snapshot; the last value is the time (ms) until a retry makes sense, or 0.
        """
        within = request.start_within_seconds
        outcome, *reply = self._run(
            "accept",
            turn_id,
            request.session,
            request.on_busy,
            _key_digest(request),
            _fingerprint(request),
            "" if within is None else to_ms(within),
            request.session_id,
            request.user_id or "",
            request.assistant.definition,
            "" if request.if_version is None else request.if_version,
            *_flat(_to_fields(request)),
        )
        if len(reply) < 5:
            return Reply(outcome), None, reply[0] if reply else 0
        return Reply(outcome), TurnSnapshot.from_reply(reply[4].decode(), reply), 0

    def claim(
        self, turn_id: str, *, token: str, worker: str, model: str, fallback_model: str
    ) -> tuple[Reply, dict[str, str], tuple[bytes, ...], str]:
        """Return the outcome, the record, the messages and the assistant's definition; all empty unless CLAIMED."""
        outcome, *reply = self._run("claim", turn_id, token, worker, model, fallback_model)
        if not reply:
            return Reply(outcome), {}, (), ""
        record, written, messages, definition = reply
        return Reply(outcome), to_record([*record, *written]), tuple(messages), definition.decode()

    def renew(self, held: Sequence[tuple[str, str]]) -> list[tuple[str, Reply]]:
        """Renew the leases of turn ids with their tokens; return the tokens of the runs to stop, with the reason."""
        return to_outcomes(self._all("renew", *(part for pair in held for part in pair)))

    def emit(self, pieces: Sequence[Delta]) -> list[tuple[str, Reply]]:
        """Append the pieces to their streams; return the tokens of the runs to stop, with the reason."""
        return to_outcomes(self._all("emit", *(part for piece in pieces for part in astuple(piece))))

    def commit(
        self,
        turn_id: str,
        *,
        token: str,
        question: str,
        between: Sequence[str],
        answer: str,
        tail: str,
        spent: str,
        record: Mapping[str, str | bytes],
    ) -> Reply:
        """Return COMMITTED or LOST."""
        return self._outcome(
            "commit", turn_id, token, question, answer, tail, spent, len(between), *between, *_flat(record)
        )

    def interrupt(
        self,
        turn_id: str,
        *,
        token: str,
        question: str,
        answer: str,
        tail: str,
        output: str,
        spent: str,
        text_end: int | None,
    ) -> Reply:
        """Return INTERRUPTED or LOST."""
        end = "" if text_end is None else text_end
        return self._outcome("interrupt", turn_id, token, question, answer, tail, output, spent, end)

    def fail(
        self,
        turn_id: str,
        *,
        token: str,
        code: str,
        retry_in_ms: int | None = None,
        counts: bool = True,
        model: str = "",
        hold: Hold | None = None,
        provider_status: int | None = None,
        provider_request_id: str | None = None,
        spent: str,
    ) -> Reply:
        """Return FAILED, RETRYING or LOST; without `retry_in_ms` the turn fails for good."""
        retry_in = "" if retry_in_ms is None else retry_in_ms
        status = "" if provider_status is None else provider_status
        reason, asked_ms = (hold.reason, to_ms(hold.seconds or 0)) if hold else ("", 0)
        request_id = provider_request_id or ""
        failure = (code, retry_in, int(counts), model, reason, asked_ms, status, request_id)
        return self._outcome("fail", turn_id, token, *failure, spent)

    def release(self, turn_id: str, *, token: str, spent: str = "") -> Reply:
        """Return RELEASED or LOST."""
        return self._outcome("release", turn_id, token, spent)

    def cancel(self, turn_id: str, *, tenant: str, keeps: bool = False) -> Reply:
        """Return CANCELLED, ENDED or GONE; SUPERSEDED if the turn will end with its partial answer."""
        return self._outcome("cancel", turn_id, tenant, int(keeps))

    def rescue(self, *, worker: str, limit: int, hint: str, slots: int) -> list[tuple[str, Reply]]:
        """Return the ids of the turns that were processed, each with its outcome."""
        field = "chain_hint" if kind_of(worker) is WorkerKind.CHAINS else "hint"
        return to_outcomes(self._all("rescue", worker, limit, hint, field, slots))

    def rescue_worker(self, worker: str, turn_ids: Sequence[str], *, is_forced: bool) -> list[tuple[str, Reply]]:
        """Return the turn ids with RESCUED, LOST or GONE. `is_forced`: also if the worker has its subscription."""
        return to_outcomes(self._all("rescue_worker", worker, int(is_forced), *turn_ids))

    def repair_sessions(self, sessions: Sequence[str]) -> list[tuple[str, Reply]]:
        """Return the sessions that were not in order, each with RESTORED, LOST or BROKEN."""
        return to_outcomes(self._all("repair_sessions", *sessions))

    def register_worker(self, worker: str, *, model: str, again: bool) -> set[str]:
        """Return the default models of other workers that differ from `model`."""
        _, *models = self._run("register_worker", worker, model, int(again))
        return {other.decode() for other in models}

    def find_vanished(self, worker: str) -> tuple[int, frozenset[str]]:
        """Return the number of registered workers, and those whose subscription has ended."""
        _, count, *vanished = self._run("find_vanished", worker)
        return count, frozenset(name.decode() for name in vanished)

    def remove_vanished(self, worker: str) -> Reply:
        """Return LOST, CONNECTED or GONE."""
        return self._outcome("remove_vanished", worker)

    def reopen(self, hold: str, *, turn_id: str = "") -> Reply:
        """Return REOPENED or GONE; without a turn that has an answer, an operator ends the hold."""
        return self._outcome("reopen", hold, turn_id)

    def pause(self, part: str, *, by: str, reason: str, seconds: float | None) -> Reply:
        """Return PAUSED or TOO_MANY; without `seconds` the pause lasts until it is resumed."""
        return self._outcome("pause", part, by, reason, "" if seconds is None else to_ms(seconds))

    def resume(self, part: str) -> Reply:
        """Return RESUMED or GONE."""
        return self._outcome("resume", part)

    def get_turn(self, turn_id: str, *, tenant: str) -> TurnSnapshot | None:
        """Return the turn, or None if the tenant has no such turn."""
        outcome, *reply = self._run("get_turn", turn_id, tenant)
        return TurnSnapshot.from_reply(turn_id, reply) if Reply(outcome) is Reply.FOUND else None

    def list_turns(
        self, *, tenant: str, session: str, user: str, after: str, score: str, status: str, limit: int, max_reads: int
    ) -> tuple[tuple[str, str], list[TurnSnapshot]]:
        """Return the cursor (a turn and its score, both '' on the last page) and the turns."""
        _, (last, at), turns = self._run("list_turns", tenant, session, after, score, status, limit, max_reads, user)
        found = [TurnSnapshot.from_reply(turn_id.decode(), reply) for turn_id, *reply in turns]
        return (last.decode(), at.decode()), found

    def get_session(self, session: str) -> SessionSnapshot | None:
        """Return the session, or None if there is no such session."""
        outcome, *reply = self._run("get_session", session)
        return SessionSnapshot.from_reply(reply[0]) if Reply(outcome) is Reply.FOUND else None

    def list_sessions(
        self, *, tenant: str, after: str, active_at: str, limit: int
    ) -> tuple[tuple[str, str], Sequence[SessionSnapshot]]:
        """Return the cursor (a session and its time, both '' on the last page) and the sessions."""
        _, (last, at), sessions = self._run("list_sessions", tenant, after, active_at, limit)
        return (last.decode(), at.decode()), [SessionSnapshot.from_reply(reply) for reply in sessions]

    def import_messages(
        self,
        session: str,
        *,
        session_id: str,
        user_id: str,
        digest: str,
        count: int,
        version: str,
        text: str,
    ) -> tuple[Reply, SessionSnapshot | None, int]:
        """Return the outcome and the session; if refused, None and the time (ms) until a retry makes sense, or 0."""
        outcome, *reply = self._run("import_messages", session, session_id, user_id, digest, count, version, text)
        if Reply(outcome) in {Reply.IMPORTED, Reply.REPLAYED}:
            return Reply(outcome), SessionSnapshot.from_reply(reply[0]), 0
        return Reply(outcome), None, reply[0] if reply else 0

    def erase(self, session: str, *, max_turns: int) -> Reply:
        """Return ERASED, or MORE if the script must be called again."""
        return self._outcome("erase", session, max_turns)

    def adopt(self, session: str, adopted: str, *, version: str) -> Reply:
        """Return ADOPTED, GONE, SESSION_BUSY, NOT_EMPTY or LOST. `adopted` is the name in the other tenant."""
        return self._outcome("adopt", session, adopted, version)

    def count_refusals(self, numbers: Mapping[str, int]) -> None:
        """Add to the counters of refused turns by code."""
        self._all("count_refusals", *(part for pair in numbers.items() for part in pair))

    def record_silence(self, turn_id: str, *, token: str, is_silent: bool, since_ms: int) -> Reply:
        """Return RECORDED or LOST."""
        return self._outcome("record_silence", turn_id, token, int(is_silent), since_ms)

    def set_limits(
        self,
        tenant: str,
        *,
        concurrency: int | None = None,
        backlog: int | None = None,
        turns_per_minute: int | None = None,
        tokens_per_day: int | None = None,
        until: int | None = None,
        reason: str = "",
        set_by: str | None = None,
        max_tenants: int,
    ) -> Reply:
        """Return LIMITED, REMOVED (no limit is given), EXPIRED or TOO_MANY."""
        numbers = (concurrency, backlog, turns_per_minute, tokens_per_day, until)
        given = ["" if number is None else number for number in numbers]
        return self._outcome("set_limits", tenant, *given, reason, set_by or "", max_tenants)

    def count_tenants(self, heads: Sequence[str]) -> dict[str, LiveCount]:
        """Return the live turns of each tenant that has some of these heads."""
        reply = self._all("count_tenants", *heads)
        counts = zip(*(reply[n::4] for n in range(4)), strict=True)
        return {tenant.decode(): LiveCount(running, live, since or None) for tenant, running, live, since in counts}

    def report_process(
        self, process: str, *, kind: str, proposed_id: str, needs_keys: bool, fields: Mapping[str, str]
    ) -> StoreIdentity:
        """Record a process with these fields; return which store this is."""
        reply = self._run("report_process", process, kind, proposed_id, int(needs_keys), *_flat(fields))
        _, store_id, since, locked = reply
        return StoreIdentity(id=store_id.decode(), since=int(since), needs_keys=locked == b"1")

    def remove_worker(self, worker: str) -> None:
        """Remove a worker that leaves."""
        self._outcome("remove_worker", worker, kind_of(worker))


def digest_key(idempotency_key: str, tenant: str) -> str:
    """Return the digest under which an idempotency key of the tenant is stored."""
    return _sha256(f"{tenant}\n{idempotency_key}")


def _to_fields(request: TurnRequest) -> dict[str, str]:
    """Return the fields of the record that the request determines."""
    assistant, lane = request.assistant, request.lane or request.assistant.lane
    return {
        **({} if request.past is None else {"standalone": "1", "past": to_lines(request.past)}),
        **{name: value for name in EDITING if (value := getattr(request, name))},  # which `accept` reads first
        "assistant": assistant.name,
        "definition": assistant.digest,
        **assistant.record_fields,
        "input": request.input,
        **(_part_fields(request) if request.parts or request.past else {}),
        "variables": json.dumps(assistant.with_defaults(request.variables)),
        **({"metadata": json.dumps(dict(request.metadata))} if request.metadata else {}),
        **{name: value for name in OPTIONAL if (value := getattr(request, name))},
        **({"lane": lane} if lane is not Lane.INTERACTIVE else {}),
    }


def _part_fields(request: TurnRequest) -> dict[str, str]:
    earlier = (part for message in request.past or () for part in message.parts)
    files = file_ids((*request.parts, *earlier))
    return {
        **({"parts": to_json(request.parts)} if request.parts else {}),
        **({"files": " ".join(files)} if files else {}),
    }


def _key_digest(request: TurnRequest) -> str:
    """Return a digest of the idempotency key and its tenant, or '' without a key."""
    return digest_key(request.idempotency_key, request.tenant) if request.idempotency_key else ""


def _fingerprint(request: TurnRequest) -> str:
    """Return a digest that is equal for equal requests, or '' without an idempotency key."""
    if not request.idempotency_key:
        return ""
    if request.body_digest:
        return _sha256(request.body_digest)
    fields = asdict(request)
    fields["assistant"] = request.assistant.name  # not its version, which may change before the request is repeated
    fields["parts"] = [_part_identity(part) for part in request.parts]
    if not request.parts:
        del fields["parts"]  # as before there were any, so that a request can be repeated after an upgrade
    for name in ("traceparent", "request_id", "key_id", "if_version"):  # a repeated request may have others
        del fields[name]
    if request.forked_from:  # a repeated request may find that it need not fork, or that it must
        fields["session_id"] = forked_session_id(request.forked_from)
    del fields["forked_from"]
    for name in ("regenerates", "response_format", "past", "instructions", "body_digest"):
        if fields[name] is None:  # a key that an earlier release has stored must fit
            del fields[name]
    return _sha256(json.dumps(fields, sort_keys=True))


def _part_identity(part: Part) -> dict[str, str]:
    """Return the values of a part; of a file its content, so that a repeated request may upload it again."""
    fields = {name: value for name, value in asdict(part).items() if value}
    return {**fields, "file_id": part.sha256} if part.sha256 else fields


def _flat(fields: Mapping[str, str | bytes]) -> list[str | bytes]:
    return [part for pair in fields.items() for part in pair]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
