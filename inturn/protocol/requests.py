"""The requests that there are, as values: one function an endpoint. Each may be sent more than once without harm."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from inturn.errors import InvalidRequest
from inturn.values import Message, MessageBody, TurnBody

LONGEST_WAIT_SECONDS = 30.0  # the service holds a long-poll for no longer
READ_SECONDS = 20.0  # to a store that is slow, not to one that is away: that is said after two seconds
STREAM_SILENCE_SECONDS = 45.0  # the service says something every 15 seconds; three times nothing is a dead connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `read_seconds`: for how long the service may be silent."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    read_seconds: float = READ_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")


def submit(body: TurnBody, *, key: str) -> Call:
    return Call(method="POST", path="/v1/turns", headers=_key(key), body=_json(_given(body)))


def batch(bodies: Iterable[TurnBody], *, key: str) -> Call:
    turns = [_given(body) for body in bodies]
    return Call(method="POST", path="/v1/turns/batch", headers=_key(key), body=_json({"turns": turns}))


def read_turn(turn_id: str, *, wait_seconds: float = 0) -> Call:
    """The answer comes when the turn has ended, or after `wait_seconds`."""
    query = {"wait": f"{wait_seconds:.3f}"} if wait_seconds else {}
    return Call(method="GET", path=_turn(turn_id), query=query, read_seconds=READ_SECONDS + wait_seconds)


def events(turn_id: str, *, after: str | None) -> Call:
    """The stream of what comes after the event `after`."""
    return Call(
        method="GET",
        path=f"{_turn(turn_id)}/events",
        query=_query({"after": after}),
        headers={"Accept": "text/event-stream"},
        read_seconds=STREAM_SILENCE_SECONDS,
    )


def cancel(turn_id: str) -> Call:
    return Call(method="POST", path=f"{_turn(turn_id)}/cancel")


def retry(turn_id: str, *, key: str) -> Call:
    return Call(method="POST", path=f"{_turn(turn_id)}/retry", headers=_key(key))


def list_turns(
    *, status: str | None, session_id: str | None, user_id: str | None, after: str | None, limit: int
) -> Call:
    query = {"status": status, "session_id": session_id, "user_id": user_id, "after": after, "limit": str(limit)}
    return Call(method="GET", path="/v1/turns", query=_query(query))


def list_sessions(*, after: str | None, limit: int) -> Call:
    return Call(method="GET", path="/v1/sessions", query=_query({"after": after, "limit": str(limit)}))


def read_session(session_id: str, *, user_id: str | None) -> Call:
    return Call(method="GET", path=_session(session_id), query=_query({"user_id": user_id}))


def erase_session(session_id: str, *, user_id: str | None) -> Call:
    return Call(method="DELETE", path=_session(session_id), query=_query({"user_id": user_id}))


def messages(session_id: str, *, user_id: str | None, order: str, after: str | None, limit: int) -> Call:
    query = {"user_id": user_id, "order": order, "after": after, "limit": str(limit)}
    return Call(method="GET", path=f"{_session(session_id)}/messages", query=_query(query))


def import_messages(session_id: str, messages: Iterable[Message | MessageBody], *, user_id: str | None) -> Call:
    return Call(
        method="PUT",
        path=f"{_session(session_id)}/messages",
        query=_query({"user_id": user_id}),
        body=_json({"messages": [_said(message) for message in messages]}),
    )


def assistants() -> Call:
    return Call(method="GET", path="/v1/assistants")


def readiness() -> Call:
    return Call(method="GET", path="/readyz")


def service_status() -> Call:
    return Call(method="GET", path="/operator/status")


def _said(message: Message | MessageBody) -> MessageBody:
    if not isinstance(message, Message):
        return message
    return {"role": message.role, "content": message.content, "turn_id": message.turn_id}


def _turn(turn_id: str) -> str:
    return f"/v1/turns/{quote(_unicode('turn_id', turn_id), safe='')}"


def _session(session_id: str) -> str:
    return f"/v1/sessions/{quote(_unicode('session_id', session_id), safe='')}"


def _query(fields: Mapping[str, str | None]) -> dict[str, str]:
    return {name: _unicode(name, value) for name, value in _given(fields).items()}


def _unicode(name: str, value: str) -> str:
    """Raises `InvalidRequest` for what no URL can hold; in a body the service finds it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{name}: must be valid Unicode, without lone surrogates") from None
    return value


def _key(key: str) -> dict[str, str]:
    """Raises `InvalidRequest` for what no header can hold: to the HTTP library that looks as if the line broke."""
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable() and key == key.strip()):
        raise InvalidRequest("Idempotency-Key: must be 1 to 255 printable ASCII characters, without spaces around them")
    return {"Idempotency-Key": key}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, default=dict).encode()
