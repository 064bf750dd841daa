"""One operation of the HTTP API: its route and its contract, declared together.

`Operation.on` registers the route, and the OpenAPI document is built from the operations of an app.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel

from turns.domain.errors import (
    Forbidden,
    IdempotencyKeyReused,
    IntakePaused,
    InvalidRequest,
    Overloaded,
    RateLimited,
    Refused,
    SessionBacklogFull,
    StoreUnavailable,
    StoreUnsafe,
    TenantBacklogFull,
    TokensSpent,
    Unauthenticated,
)
from web.http.responses import JSON, check_accept
from web.http.urls import read_query
from web.http.validation import parse_query
from web.schemas.queries import NoQuery
from web.security.auth import GUARDED
from web.security.token_bounds import bind

TAGS = MappingProxyType(
    {
        "Turns": "Submit a message, follow its answer, cancel it",
        "Files": "Images and documents that a turn can contain",
        "Sessions": "List and read conversations, import and erase them",
        "Tokens": "Access for web pages",
        "Users": "List, export and erase what a user has",
        "Usage": "Tokens and cost",
        "Assistants": "The chains that a turn can name",
        "Operator": "Load and health, why turns wait, failed turns, pausing and draining",
        "Service": "Probes, without a key",
    }
)
EXTENSION = "operations"  # the key in `Flask.extensions` under which an app has its operations
QUOTA = (TenantBacklogFull, RateLimited, TokensSpent)
RESUBMITTED = (IdempotencyKeyReused, SessionBacklogFull, *QUOTA, Overloaded, IntakePaused, StoreUnsafe)

Error = type[Refused | StoreUnavailable]
View = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """One successful response.

    `model` is None for a body that is not JSON, or empty. `other_kinds` are the text forms that a caller can prefer.
    `headers` are the response headers that it can have besides those of every response. `events` are the models of the
    data of server-sent events.
    """

    description: str
    model: type[BaseModel] | None = None
    _: KW_ONLY
    kind: str = JSON
    other_kinds: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The contract of one route.

    `body_kinds` are the media types of a body that is not JSON. `query`: None ignores the query string. `headers` are
    request headers. `refusals` are the errors that no other field implies. `negotiates`: whether a caller that does not
    accept the kind of the response gets 406. `takes_tokens`: whether it serves a page with an access token, within what
    that is bound to.
    """

    id: str
    method: str
    path: str
    summary: str
    responses: Mapping[int, ResponseSpec]
    query: type[BaseModel] | None = NoQuery
    body: type[BaseModel] | None = None
    body_kinds: tuple[str, ...] = ()
    requires_body: bool = True
    headers: tuple[str, ...] = ()
    refusals: tuple[Error, ...] = ()
    uses_store: bool = True
    negotiates: bool = True
    takes_tokens: bool = False

    @property
    def is_guarded(self) -> bool:
        """Whether an API key is required, once there are keys."""
        return self.path.startswith(GUARDED)

    @property
    def tag(self) -> str:
        """The group of operations to which this one belongs, a key of `TAGS`."""
        begin = self.path.removeprefix("/v1").split("/")[1]
        return {"tasks": "Turns", "events": "Turns", "metrics": "Operator"}.get(begin) or (
            begin.title() if begin.title() in TAGS else "Service"
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The media types of the responses."""
        spec = next(iter(self.responses.values()))
        return (spec.kind, *spec.other_kinds)

    @property
    def errors(self) -> tuple[Error, ...]:
        """All errors of the domain that the operation can answer with."""
        return (
            *((Unauthenticated, Forbidden) if self.is_guarded else ()),
            *((InvalidRequest,) if self.query is not None else ()),
            *self.refusals,
            *((StoreUnavailable,) if self.uses_store else ()),
        )

    @property
    def http_errors(self) -> tuple[int, ...]:
        """The statuses with which HTTP itself refuses requests."""
        return (
            *((406,) if self.negotiates else ()),
            *((408, 413, 415) if self.body else ()),
            *((408, 413) if self.body_kinds else ()),
        )

    def on(self, api: Blueprint) -> Callable[[View], View]:
        """Register the decorated function as the route of this operation.

        The function gets the parameters of the path, and the parsed query as `query` if the operation has one.
        """

        def register(view: View) -> View:
            def serve(**arguments: Any) -> Response:
                if self.negotiates:
                    check_accept(*self.kinds)
                if self.query is not None:
                    query = parse_query(self.query, read_query(request))
                    if self.is_guarded:
                        query = bind(arguments, query, takes_tokens=self.takes_tokens)
                    if self.query is not NoQuery:
                        arguments["query"] = query
                return view(**arguments)

            rule = self.path.replace("{", "<").replace("}", ">")
            api.add_url_rule(rule, self.id, serve, methods=[self.method])
            api.record(lambda state: state.app.extensions.setdefault(EXTENSION, []).append(self))
            return view

        return register
