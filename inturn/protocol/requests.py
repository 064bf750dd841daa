"""The client's requests as values: one function for each endpoint. Every request is safe to repeat."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from inturn.errors import InvalidRequest
from inturn.values import Changes, ForkOptions, Message, MessageBody, SessionChanges, SessionFilters, TurnBody

MAX_WAIT_SECONDS = 30.0  # the longest long poll that the service allows
READ_TIMEOUT_SECONDS = 20.0  # covers a slow store; if the store is down, the service reports that after two seconds
UPLOAD_SECONDS = 120.0  # for the service to receive and store the largest file
STREAM_READ_TIMEOUT_SECONDS = 45.0  # three missed keepalives: the service sends one every 15 seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. `read_timeout_seconds` is the longest silence to accept from the service."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)  # a text, or a list of texts for a repeated parameter
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")


def submit_turn(body: TurnBody, *, key: str, if_version: int | None = None) -> Request:
    headers = {**_idempotency_key(key), **_if_match(if_version)}
    return Request(method="POST", path="/v1/turns", headers=headers, body=_json(_without_none(body)))


def submit_batch(bodies: Iterable[TurnBody], *, key: str) -> Request:
    turns = [_without_none(body) for body in bodies]
    return Request(method="POST", path="/v1/turns/batch", headers=_idempotency_key(key), body=_json({"turns": turns}))


def get_turn(turn_id: str, *, wait_seconds: float = 0) -> Request:
    """Return a request for a turn; the service responds when the turn ends or after `wait_seconds`."""
    query = {"wait": f"{wait_seconds:.3f}"} if wait_seconds else {}
    timeout = READ_TIMEOUT_SECONDS + wait_seconds
    return Request(method="GET", path=_turn_path(turn_id), query=query, read_timeout_seconds=timeout)


def stream_events(turn_id: str, *, after: str | None) -> Request:
    """Return a request for the turn's event stream, starting after the event with the id `after`."""
    return Request(
        method="GET",
        path=f"{_turn_path(turn_id)}/events",
        query=_query({"after": after}),
        headers={"Accept": "text/event-stream"},
        read_timeout_seconds=STREAM_READ_TIMEOUT_SECONDS,
    )


def stream_session(session_id: str, *, user_id: str | None, after: str | None, until_idle: bool) -> Request:
    """Return a request for the events of a session, starting after the event with the id `after`."""
    return Request(
        method="GET",
        path=f"{_session_path(session_id)}/events",
        query=_query({"user_id": user_id, "after": after, "until": "idle" if until_idle else None}),
        headers={"Accept": "text/event-stream"},
        read_timeout_seconds=STREAM_READ_TIMEOUT_SECONDS,
    )


def cancel_turn(turn_id: str, *, keep: bool = False) -> Request:
    body = _json({"keep": True}) if keep else None  # which an older service would not understand
    return Request(method="POST", path=f"{_turn_path(turn_id)}/cancel", body=body)


def delete_turn(turn_id: str) -> Request:
    return Request(method="DELETE", path=_turn_path(turn_id))


def retry_turn(turn_id: str, *, key: str, if_version: int | None = None) -> Request:
    headers = {**_idempotency_key(key), **_if_match(if_version)}
    return Request(method="POST", path=f"{_turn_path(turn_id)}/retry", headers=headers)


def regenerate_turn(
    turn_id: str, text: str | None, changes: Changes, *, key: str, if_version: int | None = None
) -> Request:
    headers = {**_idempotency_key(key), **_if_match(if_version)}
    body = _json(_without_none({"input": text, **changes}))
    return Request(method="POST", path=f"{_turn_path(turn_id)}/regenerate", headers=headers, body=body)


def list_turns(
    *, status: str | None, session_id: str | None, user_id: str | None, after: str | None, limit: int
) -> Request:
    query = {"status": status, "session_id": session_id, "user_id": user_id, "after": after, "limit": str(limit)}
    return Request(method="GET", path="/v1/turns", query=_query(query))


def list_sessions(filters: SessionFilters, *, after: str | None, limit: int) -> Request:
    query = {**_filters(filters), "after": after, "limit": str(limit)}
    return Request(method="GET", path="/v1/sessions", query=_query(query))


def count_sessions(filters: SessionFilters) -> Request:
    query = {**_filters(filters), "count": "true", "limit": "1"}
    return Request(method="GET", path="/v1/sessions", query=_query(query))


def update_session(session_id: str, changes: SessionChanges, *, user_id: str | None, if_version: int | None) -> Request:
    query, headers = _query({"user_id": user_id}), _if_match(if_version)
    return Request(method="PATCH", path=_session_path(session_id), query=query, headers=headers, body=_json(changes))


def get_session(session_id: str, *, user_id: str | None) -> Request:
    return Request(method="GET", path=_session_path(session_id), query=_query({"user_id": user_id}))


def delete_session(session_id: str, *, user_id: str | None) -> Request:
    return Request(method="DELETE", path=_session_path(session_id), query=_query({"user_id": user_id}))


def list_messages(session_id: str, *, user_id: str | None, order: str, after: str | None, limit: int) -> Request:
    query = {"user_id": user_id, "order": order, "after": after, "limit": str(limit)}
    return Request(method="GET", path=f"{_session_path(session_id)}/messages", query=_query(query))


def list_unanswered(session_id: str, *, user_id: str | None) -> Request:
    return Request(method="GET", path=f"{_session_path(session_id)}/unanswered", query=_query({"user_id": user_id}))


def import_messages(session_id: str, messages: Iterable[Message | MessageBody], *, user_id: str | None) -> Request:
    return Request(
        method="PUT",
        path=f"{_session_path(session_id)}/messages",
        query=_query({"user_id": user_id}),
        body=_json({"messages": [_message_body(message) for message in messages]}),
    )


def fork_session(session_id: str, options: ForkOptions, *, user_id: str | None, key: str) -> Request:
    body = {name.removeprefix("new_"): value for name, value in options.items()}
    return Request(
        method="POST",
        path=f"{_session_path(session_id)}/fork",
        query=_query({"user_id": user_id}),
        headers=_idempotency_key(key),
        body=_json(_without_none(body)),
    )


def upload_file(
    content: bytes, *, name: str | None, media_type: str, user_id: str | None, session_id: str | None
) -> Request:
    return Request(
        method="POST",
        path="/v1/files",
        query=_query({"name": name, "user_id": user_id, "session_id": session_id}),
        headers={"Content-Type": media_type},
        body=content,
        read_timeout_seconds=UPLOAD_SECONDS,
    )


def get_file(file_id: str, *, user_id: str | None) -> Request:
    return Request(method="GET", path=f"{_file_path(file_id)}/metadata", query=_query({"user_id": user_id}))


def read_file(file_id: str, *, user_id: str | None) -> Request:
    return Request(method="GET", path=_file_path(file_id), query=_query({"user_id": user_id}))


def delete_file(file_id: str, *, user_id: str | None) -> Request:
    return Request(method="DELETE", path=_file_path(file_id), query=_query({"user_id": user_id}))


def list_assistants() -> Request:
    return Request(method="GET", path="/v1/assistants")


def get_readiness() -> Request:
    return Request(method="GET", path="/readyz")


def get_service_status() -> Request:
    return Request(method="GET", path="/operator/status")


def get_usage(query: Mapping[str, str | None]) -> Request:
    return Request(method="GET", path="/v1/usage", query=_query(query))


def call_operator(
    method: str, path: str, *, query: Mapping[str, str | None] | None, body: Mapping[str, Any] | None
) -> Request:
    content = None if body is None else _json(_without_none(body))
    return Request(method=method, path=f"/operator/{path}", query=_query(query or {}), body=content)


def export_user(user_id: str) -> Request:
    path = f"/v1/users/{_segment('user_id', user_id)}/export"
    return Request(method="GET", path=path, headers={"Accept": "application/x-ndjson"})


def erase_user(user_id: str) -> Request:
    return Request(method="DELETE", path=f"/v1/users/{_segment('user_id', user_id)}")


def _filters(filters: SessionFilters) -> dict[str, str | list[str] | None]:
    """Return the filters of a list of sessions as parameters of the query."""
    given: dict[str, Any] = _without_none(filters)
    for name in ("active_after", "active_before"):
        if name in given:
            given[name] = given[name].isoformat()
    if "archived" in given:
        given["archived"] = "true" if given["archived"] else "false"
    if "metadata" in given:
        given["metadata"] = [f"{name}:{value}" for name, value in given["metadata"].items()]
    return given


def _message_body(message: Message | MessageBody) -> MessageBody:
    if not isinstance(message, Message):
        return message
    body: MessageBody = {"role": message.role, "content": message.content, "turn_id": message.turn_id}
    if message.created_at:
        body["created_at"] = message.created_at.isoformat()
    if message.metadata:
        body["metadata"] = message.metadata
    return body


def _turn_path(turn_id: str) -> str:
    return f"/v1/turns/{_segment('turn_id', turn_id)}"


def _file_path(file_id: str) -> str:
    return f"/v1/files/{_segment('file_id', file_id)}"


def _session_path(session_id: str) -> str:
    return f"/v1/sessions/{_segment('session_id', session_id)}"


def _segment(name: str, value: str) -> str:
    """Return the value as one segment of a path; raise `InvalidRequest` if it would be removed from the URL."""
    if value in {"", ".", ".."}:
        raise InvalidRequest(f"{name}: must not be empty, and not . or ..")
    return quote(_require_unicode(name, value), safe="")


def _query(fields: Mapping[str, str | list[str] | None]) -> dict[str, str | list[str]]:
    """Return the parameters that are given; a list is one that is repeated."""
    given: dict[str, str | list[str]] = _without_none(fields)
    for name, value in given.items():
        for text in [value] if isinstance(value, str) else value:
            _require_unicode(name, text)
    return given


def _require_unicode(name: str, value: str) -> str:
    """Return `value`. Raise `InvalidRequest` if it cannot be part of a URL; the service checks bodies itself."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{name}: must be valid Unicode, without lone surrogates") from None
    return value


def _idempotency_key(key: str) -> dict[str, str]:
    """Return the header. Raise `InvalidRequest` if it cannot be sent.

    The HTTP library reports an invalid header as a broken connection, which would be retried in vain.
    """
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable() and key == key.strip()):
        raise InvalidRequest("Idempotency-Key: must be 1 to 255 printable ASCII characters, without spaces around them")
    return {"Idempotency-Key": key}


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, default=dict).encode()
