"""The state of the service: its probes, its main numbers and the models for which turns wait."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from turns.domain.run.retry import HoldReason
from turns.store.health import Readiness
from web.schemas.response_model import Instant, ResponseModel


class Live(ResponseModel):
    status: Literal["ok"] = "ok"


class Ready(ResponseModel):
    status: Readiness = Field(
        description="`refusing`: the store refuses writes, so no turn can be submitted. `unsafe`: it may evict turns, "
        "so none is accepted. `no_workers`: a worker has run before and none is alive, so accepted turns wait"
    )
    refusal: str | None = Field(description="why the store refuses writes; null if it takes them")
    durability: str
    replicas: int
    eviction_policy: str
    live_workers: int
    live_turns: int
    partitions_away: int = Field(description="parts of a Redis Cluster that do not answer; all others are served")
    version: str


class ModelHold(ResponseModel):
    """A model that gets no turns, because its provider limits the rate or does not answer."""

    name: str = Field(
        description="name for lifting the hold: the model, after the digest of an assistant's own provider"
    )
    model: str
    reason: HoldReason | str
    code: str = Field(description="code of the last error")
    since: Instant
    until: Instant = Field(description="then one turn tries the model")
    is_reopening: bool = Field(description="the model answers, and the waiting turns start one after another")
    held_turns: int
    oldest_held_at: Instant | None


class ServiceStatus(ResponseModel):
    """The main numbers of the service."""

    paused: Mapping[str, Instant] = Field(description="`intake`, `workers` or `<kind>/<name>`, and since when")
    holds: tuple[ModelHold, ...] = Field(description="the models for which turns wait")
    live_turns: int
    waiting_turns: int = Field(description="turns that could run and wait for a worker")
    oldest_waiting_seconds: float
    live_workers: int
    failed_turns: int = Field(description="unresolved ones")
