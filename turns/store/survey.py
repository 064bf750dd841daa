"""A survey of the heads: what they do, and how long their users have waited."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record import read_turn_records
from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.ids import created_at
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.pauses.part import PauseKind

# Heads that one survey reads, so that it takes milliseconds. Those that run, wait for a worker or will be retried soon
# are due next, so they are among the first ones.
MAX_HEADS = 2000
OLDEST_WAITING = 500  # those that have waited longest, in addition: many are due later than all others
FIELDS = (
    *("status", "lane", "worker", "accepted_at", "started_at", "first_token_at", "claims"),
    *("retry_at", "last_error_code", "held_by", "held_at", "hinted_at", "queue", "paused_by"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTurn:
    """A running turn; `unanswered_since` (ms) is None once its answer has begun."""

    turn_id: str
    worker: str
    unanswered_since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The heads that were read: those that run, and the others by the reason for which they wait.

    `waiting_kinds` has those that wait for a worker, by its kind, and `waiting_kinds_since` the time (ms) since which
    the first of them has waited. `oldest_live_at` and `oldest_unanswered_at` (ms) are None if there is no such turn. A
    turn is unanswered while it waits or runs without a first piece of its answer; those of the lane `batch` do not
    count, because they may wait, nor those of a tenant, model or other part that an operator has paused.
    """

    running: Sequence[RunningTurn]
    waiting: Mapping[Reason, int]
    waiting_kinds: Mapping[WorkerKind, int]
    waiting_kinds_since: Mapping[WorkerKind, int]
    oldest_live_at: int | None
    oldest_unanswered_at: int | None

    @property
    def first_token_waits(self) -> list[int]:
        """The times (ms) since which running turns wait for the first piece of their answers, oldest first."""
        return sorted(turn.unanswered_since for turn in self.running if turn.unanswered_since is not None)


def survey_heads(client: Client) -> Survey:
    """Read the heads that are due next. Raises `StoreUnavailable`."""
    due = cast(list[bytes], client.zrange(keys.DUE.name, 0, MAX_HEADS - 1))
    waiting = cast(list[tuple[bytes, float]], client.zrange(keys.WAITING.name, 0, OLDEST_WAITING - 1, withscores=True))
    since = {turn.decode(): int(score) for turn, score in waiting}
    turn_ids = list(dict.fromkeys([*(turn.decode() for turn in due), *since]))
    records = read_turn_records(client, turn_ids, FIELDS)
    found = zip(turn_ids, records, strict=True)
    return build_survey({turn_id: record for turn_id, record in found if "status" in record}, since)


def build_survey(records: Mapping[str, Mapping[str, str]], since: Mapping[str, int]) -> Survey:
    """Build the survey of these heads; `since` has the times (ms) since which heads wait for a worker or a slot."""
    running, waiting, kinds, waits = [], Counter[Reason](), Counter[WorkerKind](), []
    kinds_since: dict[WorkerKind, int] = {}
    for turn_id, record in records.items():
        if record["status"] == Status.IN_PROGRESS:
            turn = RunningTurn(
                turn_id=turn_id, worker=record.get("worker", ""), unanswered_since=_unanswered_since(record, None)
            )
            running.append(turn)
        elif record["status"] == Status.QUEUED and (reason := _wait_reason(record, since.get(turn_id))):
            waiting[reason] += 1
            if reason is Reason.WORKERS_BUSY:
                kind = WorkerKind(record.get("queue", WorkerKind.LOOP))
                kinds[kind] += 1
                if turn_id in since:
                    kinds_since[kind] = min(since[turn_id], kinds_since.get(kind, since[turn_id]))
        if record.get("lane") != Lane.BATCH and record.get("paused_by", PauseKind.WORKERS) == PauseKind.WORKERS:
            waits.append(_unanswered_since(record, since.get(turn_id)))
    return Survey(
        running=running,
        waiting=waiting,
        waiting_kinds=kinds,
        waiting_kinds_since=kinds_since,
        oldest_live_at=min(map(created_at, records), default=None),
        oldest_unanswered_at=min((wait for wait in waits if wait is not None), default=None),
    )


def _wait_reason(record: Mapping[str, str], since: int | None) -> Reason | None:
    """Return why a queued head waits; None if it waits for a hold or a pause, which count their turns themselves."""
    if "held_by" in record or "paused_by" in record:
        return None
    if "retry_at" in record:
        return Reason.WORKER_LOST if record.get("last_error_code") == Code.WORKER_LOST else Reason.RETRY
    has_slot = int(record.get("hinted_at", 0)) >= (since or 0)
    return Reason.WORKERS_BUSY if has_slot else Reason.PARKED


def _unanswered_since(record: Mapping[str, str], since: int | None) -> int | None:
    """Return since when the user of a head has waited for an answer; None if it has begun, or the turn has ended.

    A turn may have waited for earlier turns of its session before, so its acceptance counts only after its first run.
    """
    if Status(record["status"]).is_terminal or "first_token_at" in record:
        return None
    if record["claims"] != "0":
        return int(record["started_at"] if record["claims"] == "1" and "worker" in record else record["accepted_at"])
    return since or int(record.get("held_at") or record["accepted_at"])
