"""The reasons why a session waits, in the order in which an operator should deal with them."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.config import commands
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound
from turns.domain.run.retry import HoldReason
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.operations.live_turns import LiveTurn, read_turns
from turns.pauses.part import PauseKind
from turns.pauses.pause import Pause
from turns.pauses.pauses import read_pauses
from turns.store.health import list_live_workers
from turns.store.held import CrowdedGroup, count_turns_before, read_crowded_groups
from turns.store.holds import ModelHold, read_hold

NO_WORKER = MappingProxyType(
    {
        WorkerKind.LOOP: "No worker is alive. Start one, and read the logs of the workers that stopped.",
        WorkerKind.CHAINS: "No chain worker is alive, which this custom chain needs. "
        f"Start one: {commands.CHAIN_WORKER}",
    }
)
HINTS = MappingProxyType({WorkerKind.LOOP: keys.HINTS, WorkerKind.CHAINS: keys.CHAIN_HINTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitReason:
    """One reason why a session waits, and the time (ms) at which it ends, if that is known."""

    reason: Reason
    message: str
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQueue:
    """The live turns of a session in order, and the reasons why the first one waits, most important first."""

    turns: tuple[LiveTurn, ...]
    why: tuple[WaitReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotWait:
    """A wait for a slot of a group, which the group's other turns occupy."""

    group: CrowdedGroup
    turns_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFacts:
    """Facts about the service on which the wait of a turn depends.

    `live_workers` are those of the turn's kind, and `pauses` those of its parts.
    """

    live_workers: int
    hold: ModelHold | None
    slot_waits: tuple[SlotWait, ...]
    queued_hints: int
    pauses: tuple[Pause, ...] = ()


def read_session_queue(client: Client, session: str) -> SessionQueue:
    """Return the live turns of a session and why they wait. Raises `SessionNotFound`, `StoreUnavailable`."""
    if not client.exists(keys.SESSION(session)):
        raise SessionNotFound
    live = [turn.decode() for turn in cast(list[bytes], client.lrange(keys.QUEUE(session), 0, -1))]
    turns = tuple(turn for turn in read_turns(client, live) if not turn.status.is_terminal)
    why = diagnose(turns[0], _read_facts(client, turns[0])) if turns else ()
    return SessionQueue(turns=turns, why=tuple(why))


def diagnose(head: LiveTurn, facts: WaitFacts) -> list[WaitReason]:
    """Return the reasons why the session of this head waits, most important first; at least one."""
    if head.status is Status.IN_PROGRESS:
        message = f"The first turn runs on worker {head.worker}; the turns of a session run one at a time."
        return [WaitReason(reason=Reason.RUNNING, message=message)]
    reasons = [
        *map(_paused, facts.pauses),
        *_workers_unavailable(head.worker_kind, facts),
        *_scheduled_later(head, facts),
        *_over_concurrency_limit(facts),
    ]
    return reasons or [_workers_busy(facts)]


def _workers_unavailable(kind: WorkerKind, facts: WaitFacts) -> list[WaitReason]:
    return [] if facts.live_workers else [WaitReason(reason=Reason.NO_WORKER, message=NO_WORKER[kind])]


def _paused(pause: Pause) -> WaitReason:
    part = pause.part
    reason = Reason.WORKERS_PAUSED if part.kind is PauseKind.WORKERS else Reason.PAUSED
    if pause.is_over:
        message = f"The pause of {part.label} is over; {pause.waiting_turns} turns that waited start, oldest first."
        return WaitReason(reason=reason, message=message)
    why = f": {pause.reason}" if pause.reason else ""
    message = f"An operator has paused {part.label}{why}. {pause.waiting_turns} turns wait for that."
    return WaitReason(reason=reason, message=message, until=pause.until)


def _scheduled_later(head: LiveTurn, facts: WaitFacts) -> list[WaitReason]:
    """Return the reason if the turn waits for its model or for a time."""
    if facts.hold:
        return [_held(facts.hold)]
    if head.retry_at is None:
        return []
    if head.last_error_code == Code.WORKER_LOST:
        message = f"{head.losses} workers died while they ran the first turn; it runs again at this time."
        return [WaitReason(reason=Reason.WORKER_LOST, message=message, until=head.retry_at)]
    message = f"The first turn failed with {head.last_error_code}; attempt {head.attempt} starts at this time."
    return [WaitReason(reason=Reason.RETRY, message=message, until=head.retry_at)]


def _held(hold: ModelHold) -> WaitReason:
    others = f"; {hold.held_turns} turns wait for it. An operator can lift the hold."
    if hold.is_reopening:
        message = f"The model {hold.model} answers again, and the turns that waited for it start one after another"
    elif hold.reason is HoldReason.RATE_LIMITED:
        message = f"The provider limits the rate of the model {hold.model}; after this time one turn tries again"
    else:
        message = f"The model {hold.model} does not answer ({hold.code}); after this time one turn tries again"
    reason = Reason.MODEL_PAUSED if hold.reason is HoldReason.RATE_LIMITED else Reason.MODEL_OUTAGE
    return WaitReason(reason=reason, message=message + others, until=hold.until)


def _over_concurrency_limit(facts: WaitFacts) -> list[WaitReason]:
    return [WaitReason(reason=Reason.PARKED, message=_describe(wait)) for wait in facts.slot_waits]


def _describe(wait: SlotWait) -> str:
    used = "its share of the workers, {} slots" if wait.group.is_sharing else "all of its {} slots"
    before = f"{wait.turns_before} other turns are before this one."
    return f"{wait.group.label} uses {used.format(wait.group.slots)}; {before}"


def _workers_busy(facts: WaitFacts) -> WaitReason:
    message = f"It waits for one of {facts.live_workers} workers; {facts.queued_hints} turns are queued for a worker. "
    return WaitReason(reason=Reason.WORKERS_BUSY, message=message + "If that lasts, start more workers.")


def _read_facts(client: Client, head: LiveTurn) -> WaitFacts:
    parts = head.parts
    waits = count_turns_before(client, read_crowded_groups(client), head.id)
    return WaitFacts(
        live_workers=len(list_live_workers(client, head.worker_kind)),
        hold=read_hold(client, head.held_by) if head.held_by else None,
        slot_waits=tuple(SlotWait(group=group, turns_before=before) for group, before in waits.items()),
        queued_hints=client.llen(HINTS[head.worker_kind].name),
        pauses=tuple(pause for pause in read_pauses(client) if str(pause.part) in parts),
    )
