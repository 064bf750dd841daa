"""The Lua scripts of turns as typed methods, one for each verb. Only these scripts change turns.

The contract of a script is the header of its file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from turns.backend.request_fields import fingerprint, key_digest, to_fields
from turns.backend.script_loader import TURN_VERBS, to_ms
from turns.backend.script_replies import Reply, TurnSnapshot, to_outcomes, to_record
from turns.backend.script_runner import ScriptRunner, flatten
from turns.domain.run.claim import Delta
from turns.domain.run.retry import Hold
from turns.domain.turn_request import TurnRequest
from turns.domain.worker_kind import WorkerKind, kind_of


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
            key_digest(request),
            fingerprint(request),
            "" if within is None else to_ms(within),
            request.session_id,
            request.user_id or "",
            request.assistant.definition,
            "" if request.if_version is None else request.if_version,
            *flatten(to_fields(request)),
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
            "commit", turn_id, token, question, answer, tail, spent, len(between), *between, *flatten(record)
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

    def reopen(self, hold: str, *, turn_id: str = "") -> Reply:
        """Return REOPENED or GONE; without a turn that has an answer, an operator ends the hold."""
        return self._outcome("reopen", hold, turn_id)

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

    def count_refusals(self, numbers: Mapping[str, int]) -> None:
        """Add to the counters of refused turns by code."""
        self._all("count_refusals", *(part for pair in numbers.items() for part in pair))

    def record_silence(self, turn_id: str, *, token: str, is_silent: bool, since_ms: int) -> Reply:
        """Return RECORDED or LOST."""
        return self._outcome("record_silence", turn_id, token, int(is_silent), since_ms)
