"""The turns that wait: their number by reason, and the groups for whose slots they wait."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.run.retry import HoldReason
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.pauses.part import PauseKind
from turns.pauses.pause import Pause
from turns.store.health import list_live_workers
from turns.store.holds import ModelHold, model_of
from turns.store.survey import Survey

# The names of groups, as `slots.lua` and `sharing_groups.lua` compose them.
LIMITED = re.compile(r"(?P<what>tenant|lane|assistant):(?P<name>.+)")
SHARING = re.compile(
    rf"(?:{'|'.join(WorkerKind)})(?:/tenant:(?P<tenant>[^/]+))?(?:/(?P<what>model|chain):(?P<name>.*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdedGroup:
    """A group, the number of turns that occupy its slots, and of those that wait for one."""

    name: str
    slots: int
    waiting: int

    @property
    def is_sharing(self) -> bool:
        """Whether its limit is a share of the workers' capacity instead of a setting."""
        return bool(SHARING.fullmatch(self.name))

    @property
    def label(self) -> str:
        """The group in words, as the subject of a sentence."""
        if found := LIMITED.fullmatch(self.name):
            return f"The {found['what']} {found['name']}"
        if found := SHARING.fullmatch(self.name):
            return f"The {_describe(found['tenant'], found['what'], found['name'])}"
        return "The group of turns that lost as many workers"


def _describe(tenant: str | None, what: str | None, name: str) -> str:
    described = f"custom chain {name}" if what == "chain" else f"model {model_of(name)}" if name else "default model"
    if tenant is None:
        return described
    return f"tenant {tenant}" + (f" with the {described}" if what else "")


def read_crowded_groups(client: Client) -> list[CrowdedGroup]:
    """Return the groups for whose slots turns wait, those with most of them first. Raises `StoreUnavailable`."""
    names = [name.decode() for name in cast(list[bytes], client.zrange(keys.CROWDED.name, 0, -1))]
    sizes = client.execute_many(
        [("SCARD", keys.SLOTS(name)) for name in names] + [("ZCARD", keys.SLOT_WAITERS(name)) for name in names]
    )
    groups = [
        CrowdedGroup(name=name, slots=slots, waiting=waiting)
        for name, slots, waiting in zip(names, sizes[: len(names)], sizes[len(names) :], strict=True)
    ]
    return sorted((group for group in groups if group.waiting), key=lambda group: -group.waiting)


def count_turns_before(client: Client, groups: Sequence[CrowdedGroup], turn_id: str) -> dict[CrowdedGroup, int]:
    """Return the groups for which this turn waits, each with the number of turns before it."""
    ranks = client.execute_many([("ZRANK", keys.SLOT_WAITERS(group.name), turn_id) for group in groups])
    return {group: rank for group, rank in zip(groups, ranks, strict=True) if rank is not None}


def count_held(
    client: Client,
    survey: Survey,
    holds: Sequence[ModelHold],
    crowded: Sequence[CrowdedGroup],
    pauses: Sequence[Pause],
) -> Mapping[Reason, int]:
    """Return the turns that wait by reason, each reason with a number. Raises `StoreUnavailable`.

    Waits for a retry are those of the survey. Turns behind the first one of their session have the reason
    `running`, whatever the first one does.
    """
    live = client.hget(keys.SERVICE.name, "live")
    heads, waiting = client.zcard(keys.DUE.name), client.zcard(keys.WAITING.name)
    parked = sum(group.waiting for group in crowded)
    held = {reason: survey.waiting.get(reason, 0) for reason in Reason} | {Reason.PARKED: parked}
    for hold in holds:
        reason = Reason.MODEL_PAUSED if hold.reason is HoldReason.RATE_LIMITED else Reason.MODEL_OUTAGE
        held[reason] += hold.held_turns
    for pause in pauses:
        reason = Reason.WORKERS_PAUSED if pause.part.kind is PauseKind.WORKERS else Reason.PAUSED
        held[reason] += pause.waiting_turns
    held[Reason.RUNNING] = max(0, int(live or 0) - heads)
    held[Reason.WORKERS_BUSY] = 0
    held[_worker_reason(client, pauses)] += max(0, waiting - parked)
    return held


def _worker_reason(client: Client, pauses: Sequence[Pause]) -> Reason:
    if any(pause.part.kind is PauseKind.WORKERS and not pause.is_over for pause in pauses):
        return Reason.WORKERS_PAUSED
    return Reason.WORKERS_BUSY if list_live_workers(client) else Reason.NO_WORKER
