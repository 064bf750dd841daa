"""The number of turns that wait, by reason."""

from collections.abc import Mapping, Sequence

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.retry import HoldReason
from turns.domain.wait_reason import Reason
from turns.store.health import list_live_workers
from turns.store.holds import ModelHold
from turns.store.survey import Survey


def count_held(client: Client, survey: Survey, holds: Sequence[ModelHold]) -> Mapping[Reason, int]:
    """Return the turns that wait by reason, each reason with a number. Raises `StoreUnavailable`.

    Waits for a slot or a retry are those of the survey. Turns behind the first one of their session have the reason
    `running`, whatever the first one does.
    """
    live, workers_paused = client.hmget(keys.SERVICE.name, ["live", "workers"])
    heads, waiting = client.zcard(keys.DUE.name), client.zcard(keys.WAITING.name)
    parked = survey.waiting.get(Reason.PARKED, 0)
    held = {reason: survey.waiting.get(reason, 0) for reason in Reason}
    for hold in holds:
        reason = Reason.MODEL_PAUSED if hold.reason is HoldReason.RATE_LIMITED else Reason.MODEL_OUTAGE
        held[reason] += hold.held_turns
    held[Reason.RUNNING] = max(0, int(live or 0) - heads)
    held[Reason.WORKERS_BUSY] = 0
    held[_worker_reason(client, is_paused=workers_paused is not None)] = max(0, waiting - parked)
    return held


def _worker_reason(client: Client, *, is_paused: bool) -> Reason:
    if is_paused:
        return Reason.WORKERS_PAUSED
    return Reason.WORKERS_BUSY if list_live_workers(client) else Reason.NO_WORKER
