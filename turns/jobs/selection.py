"""The turns that a job touches: the live or failed ones that match its filter, in the order of the act."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record import read_turn_records
from turns.domain.error_codes import Code
from turns.domain.ids import tenant_of
from turns.domain.open_enum import member_or_text
from turns.domain.state import LIVE, Status
from turns.jobs.job import BulkAct, JobSpec

MAX_TURNS = 100_000  # of one job; 6 MB in the store
READ_AT_ONCE = 500  # records, so that Redis and a web process serve others in between
MAX_PREVIEWED = 20_000  # turns that a preview reads, which takes a few seconds
SHOWN_IDS = 5
FIELDS = ("session", "session_id", "user_id", "assistant", "model", "status", "error_code", "accepted_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The part of a turn's record on which the selection depends; `at` (ms) is when it was accepted, or failed."""

    id: str
    tenant: str
    session_id: str
    user_id: str | None
    assistant: str
    model: str | None
    status: Status
    error_code: Code | str | None
    accepted_at: int
    at: int

    @property
    def member(self) -> str:
        return f"{self.tenant}/{self.id}"

    @classmethod
    def from_record(cls, turn_id: str, record: Mapping[str, str], failed_at: int | None) -> Self:
        accepted_at, code = int(record["accepted_at"]), record.get("error_code")
        return cls(
            id=turn_id,
            tenant=tenant_of(record["session"]),
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            assistant=record["assistant"],
            model=record.get("model"),
            status=Status(record["status"]),
            error_code=member_or_text(Code, code) if code else None,
            accepted_at=accepted_at,
            at=accepted_at if failed_at is None else failed_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The turns that a job would touch: their number, by code or status and by tenant, and the ids of the first ones.

    `left_out` counts turns that probably end their workers. `is_complete` is false if there are more than were read.
    """

    before: int
    count: int
    left_out: int
    by_code: Mapping[str, int]
    by_tenant: Mapping[str, int]
    turn_ids: tuple[str, ...]
    is_complete: bool


class Selector:
    """Finds the turns of jobs. Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def preview(self, spec: JobSpec) -> Preview:
        """Return what a job would touch that is confirmed now."""
        seconds, microseconds = self._client.time()
        before = seconds * 1000 + microseconds // 1000
        found: list[Candidate] = []
        read, is_complete = 0, True
        for size, part in self._read(spec):
            found += [turn for turn in part if _matches(turn, spec, before)]
            read += size
            if read >= MAX_PREVIEWED:
                is_complete = False
                break
        kept = in_order([turn for turn in found if not is_left_out(turn, spec)], spec)
        return Preview(
            before=before,
            count=len(kept),
            left_out=len(found) - len(kept),
            by_code=dict(Counter(str(turn.error_code or turn.status) for turn in kept).most_common()),
            by_tenant=dict(Counter(turn.tenant for turn in kept).most_common()),
            turn_ids=tuple(turn.id for turn in kept[:SHOWN_IDS]),
            is_complete=is_complete,
        )

    def select(self, spec: JobSpec, *, before: int) -> Iterator[list[Candidate]]:
        """Yield the turns of a job in parts, also those that are left out; at most about `MAX_TURNS`."""
        count = 0
        for _, part in self._read(spec):
            found = [turn for turn in part if _matches(turn, spec, before)]
            yield found
            count += len(found)
            if count >= MAX_TURNS:
                return

    def _read(self, spec: JobSpec) -> Iterator[tuple[int, list[Candidate]]]:
        """Yield the candidates in parts, each with the number of turns that were read for it; a turn may come twice."""
        if spec.turn_ids:
            sources = self._named_turns(spec)
        elif spec.takes_live_turns:
            sources = self._live_turns()
        else:
            sources = self._listed_turns(_list_of(spec), spec.filter.tenant)
        for turns in sources:
            yield len(turns), self._read_candidates(turns)

    def _named_turns(self, spec: JobSpec) -> Iterator[dict[str, int | None]]:
        """Yield the ids of the job that are in its list, with their scores; live turns are in no list."""
        if spec.takes_live_turns:
            yield dict.fromkeys(spec.turn_ids)
            return
        records = self._client.read_hashes([keys.TURN(turn_id) for turn_id in spec.turn_ids], ["session"])
        members = {
            turn_id: f"{tenant_of(record['session'])}/{turn_id}"
            for turn_id, record in zip(spec.turn_ids, records, strict=True)
            if record
        }
        scores = self._client.execute_many([("ZSCORE", _list_of(spec), member) for member in members.values()])
        yield {turn_id: int(at) for turn_id, at in zip(members, scores, strict=True) if at is not None}

    def _listed_turns(self, name: str, tenant: str | None = None) -> Iterator[dict[str, int | None]]:
        """Yield ids with scores of a sorted set of `<tenant>/<turn id>`. Members that stay there are not missed."""
        cursor = 0
        while True:
            cursor, found = cast(
                tuple[int, list[tuple[bytes, float]]], self._client.zscan(name, cursor, count=READ_AT_ONCE)
            )
            parts = {member.decode(): int(at) for member, at in found}
            yield {
                member.partition("/")[2]: at
                for member, at in parts.items()
                if tenant in {None, member.partition("/")[0]}
            }
            if not cursor:
                return

    def _live_turns(self) -> Iterator[dict[str, int | None]]:
        """Yield the ids of all live turns: the queues of the sessions that have a head."""
        heads = [head.decode() for head in cast(list[bytes], self._client.zrange(keys.DUE.name, 0, -1))]
        for start in range(0, len(heads), READ_AT_ONCE):
            names = [keys.TURN(head) for head in heads[start : start + READ_AT_ONCE]]
            records = self._client.read_hashes(names, ["session"])
            sessions = {record["session"] for record in records if record}
            queues = self._client.execute_many([("LRANGE", keys.QUEUE(session), 0, -1) for session in sessions])
            yield {turn.decode(): None for queue in queues for turn in queue}

    def _read_candidates(self, turns: Mapping[str, int | None]) -> list[Candidate]:
        ids = list(turns)
        found = []
        for start in range(0, len(ids), READ_AT_ONCE):
            part = ids[start : start + READ_AT_ONCE]
            records = read_turn_records(self._client, part, FIELDS)
            for turn_id, record in zip(part, records, strict=True):
                with suppress(KeyError, ValueError):  # expired, of a newer release, or damaged: one hides no other
                    found.append(Candidate.from_record(turn_id, record, turns[turn_id]))
        return found


def in_order(turns: Sequence[Candidate], spec: JobSpec) -> list[Candidate]:
    """Return the turns in the order of the act, each once.

    The newest one is cancelled first, so that the end of one starts no other; others are processed oldest first.
    """
    unique = {turn.id: turn for turn in turns}.values()
    if spec.takes_live_turns:
        return sorted(unique, key=lambda turn: turn.id, reverse=True)
    return sorted(unique, key=lambda turn: (turn.at, turn.id))


def is_left_out(turn: Candidate, spec: JobSpec) -> bool:
    """Return whether a retry leaves this turn out, because it probably ends the worker that runs it."""
    return spec.act is BulkAct.RETRY and turn.error_code == Code.WORKER_LOST and not spec.includes_poison


def _matches(turn: Candidate, spec: JobSpec, before: int) -> bool:
    statuses = LIVE if spec.takes_live_turns else {Status.FAILED}
    return turn.status in statuses and turn.at <= before and spec.filter.matches(turn)


def _list_of(spec: JobSpec) -> str:
    """Return the sorted set in which the turns of this act are listed."""
    return keys.DISCARDED(spec.undo_of) if spec.undo_of else keys.FAILED.name
