"""Why a session waits: what an operator would look up in ten places, in the order of what to do about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound
from turns.domain.ids import tenant_of
from turns.domain.state import Status
from turns.operations.live_turns import LiveTurn, read_turns
from turns.store.health import living_workers


class Reason(StrEnum):
    WORKERS_PAUSED = "workers_paused"
    NO_WORKER = "no_worker"
    MODEL_PAUSED = "model_paused"
    RETRY = "retry"
    PARKED = "parked"
    WORKERS_BUSY = "workers_busy"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitReason:
    """One reason for which a session waits, in words, and until when (ms) where that is known."""

    reason: Reason
    message: str
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQueue:
    """A session's live turns in order, and why the first of them waits, the weightiest reason first."""

    session: str
    turns: tuple[LiveTurn, ...]
    why: tuple[WaitReason, ...]


def read_queue(client: Client, session: str) -> SessionQueue:
    """Raises `SessionNotFound`, `StoreUnavailable`."""
    if not client.exists(keys.SESSION(session)):
        raise SessionNotFound
    live = [turn.decode() for turn in cast(list[bytes], client.lrange(keys.QUEUE(session), 0, -1))]
    turns = tuple(turn for turn in read_turns(client, live) if not turn.status.is_terminal)
    return SessionQueue(session=session, turns=turns, why=tuple(_reasons(client, turns[0])) if turns else ())


def _reasons(client: Client, head: LiveTurn) -> list[WaitReason]:
    if head.status is Status.IN_PROGRESS:
        message = f"Its first turn runs on the worker {head.worker}; the turns of a session run one at a time."
        return [WaitReason(reason=Reason.RUNNING, message=message)]
    found = [*_nobody_works(client), *_not_before(client, head), *_has_no_place(client, head)]
    return found or [_waits_for_a_worker(client)]


def _nobody_works(client: Client) -> list[WaitReason]:
    found = []
    if client.hexists(keys.SERVICE.name, "workers"):
        message = "An operator has paused the workers: no turn begins until they are resumed."
        found.append(WaitReason(reason=Reason.WORKERS_PAUSED, message=message))
    if not living_workers(client):
        message = "No worker is alive: start one, and look into the log of those that ended."
        found.append(WaitReason(reason=Reason.NO_WORKER, message=message))
    return found


def _not_before(client: Client, head: LiveTurn) -> list[WaitReason]:
    """It waits for a time. Without an earlier failure it is the model whose provider asked for a pause."""
    if head.retry_at is None:
        return []
    model = f"{head.provider}/{head.model}" if head.provider else head.model  # as in `pause_key.lua`
    paused = model is not None and client.exists(keys.PAUSED(model))
    if paused or head.last_error_code in {None, Code.PROVIDER_RATE_LIMITED}:
        message = "The provider of its model limits the rate and has named a time to come back."
        return [WaitReason(reason=Reason.MODEL_PAUSED, message=message, until=head.retry_at)]
    message = f"Its first turn has failed with {head.last_error_code}; attempt {head.attempt} is due at that time."
    return [WaitReason(reason=Reason.RETRY, message=message, until=head.retry_at)]


def _has_no_place(client: Client, head: LiveTurn) -> list[WaitReason]:
    groups = {f"tenant:{tenant_of(head.session)}": f"The tenant {head.tenant}"}
    if head.lane is Lane.BATCH:
        groups["lane:batch"] = "The lane batch"
    found = []
    for group, name in groups.items():
        ahead = client.zrank(keys.SLOT_WAITERS(group), head.id)
        if ahead is not None:
            taken = client.scard(keys.SLOTS(group))
            message = f"{name} has all of its {taken} places with the workers; {ahead} others wait before this one."
            found.append(WaitReason(reason=Reason.PARKED, message=message))
    return found


def _waits_for_a_worker(client: Client) -> WaitReason:
    workers, hints = len(living_workers(client)), client.llen(keys.HINTS.name)
    message = f"It waits for a free place with one of {workers} workers; {hints} hints wait in the broker. "
    return WaitReason(reason=Reason.WORKERS_BUSY, message=message + "If that lasts, start more workers.")
