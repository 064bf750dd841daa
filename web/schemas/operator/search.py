"""Requests and responses of an operator's search."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from turns.domain.ids import MAX_ID_CHARACTERS
from turns.domain.state import LIVE, Status
from turns.search.suggestions import Kind
from turns.search.turn_search import TurnQuery
from web.schemas.operator.conditions import Conditions
from web.schemas.operator.responses import TurnSummary
from web.schemas.queries import TURN_CURSOR, Limit, Query
from web.schemas.response_model import Gathered, ResponseModel

MAX_TEXT = 512
LIVE_CONDITIONS = frozenset({"tenant"})  # those that also select among the first live turns of sessions


class TurnsQuery(Query, Conditions):
    ended: bool = Field(False, description="all live and ended turns, newest first; required by most conditions")
    status: Status | None = None
    worker: Annotated[str, Field(max_length=300)] | None = None
    text: Annotated[
        str, Field(max_length=MAX_ID_CHARACTERS, description="part of the id of the turn, session or user")
    ] = ""
    request_id: Annotated[str, Field(max_length=128, description="`X-Request-Id` of the submission")] | None = None
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    after: Annotated[str, Field(pattern=TURN_CURSOR)] | None = None
    limit: Limit = 50

    @property
    def needing_ended(self) -> list[str]:
        """The given parameters that have a meaning only with `ended`."""
        names = [*(name for name in Conditions.model_fields if name not in LIVE_CONDITIONS), "after"]
        names += ["request_id", "trace_id", "idempotency_key"]
        given = [name for name in names if getattr(self, name) is not None]
        return given if self.status in LIVE or self.status is None else [*given, "status"]

    def to_query(self) -> TurnQuery:
        return TurnQuery(
            filter=self.to_filter(self.status),
            request_id=self.request_id,
            trace_id=self.trace_id,
            idempotency_key=self.idempotency_key,
            worker=self.worker,
            text=self.text,
        )


class SearchQuery(Query):
    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_TEXT,
            description="id of a turn, session, user, request or trace, name of a tenant, or idempotency key",
        ),
    ]


class TurnPage(Gathered):
    object: Literal["list"] = "list"
    data: tuple[TurnSummary, ...]
    found: int = Field(description="matching turns among those that were read")
    are_all: bool = Field(description="false: there is more than one call reads; with `after`, continue there")
    after: str | None = Field(description="cursor of the next page, with `ended`; null on the last")


class Finding(ResponseModel):
    """One thing that the text names."""

    kind: Kind
    sentence: str = Field(description="what it is, its number of turns, and the state of the last one")
    to: Mapping[str, str] = Field(description="parameters of `GET /operator/turns?ended=true` that list its turns")
    turns: tuple[TurnSummary, ...] = Field(description="the last ones, newest first")


class Suggestion(ResponseModel):
    """Something whose name contains the text."""

    kind: Kind
    id: str
    tenant: str | None
    user_id: str | None


class SearchAnswer(Gathered):
    object: Literal["search"] = "search"
    text: str
    sentence: str = Field(description="what was found; or where it was looked for, and how long turns are kept")
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...] = Field(description="if nothing was found, names that contain the text")
    is_complete: bool = Field(description="false: there are more turns or sessions than one search looks through")
