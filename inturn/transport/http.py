"""What both transports say to the HTTP library, and how they hear its answers."""

from typing import TypedDict

import httpx2

from inturn.protocol.requests import Answer, Call
from inturn.protocol.steps import Lost, ServerSent
from inturn.transport.connection import CONNECT_SECONDS, Connection
from inturn.transport.tracing import trace_headers

# What can happen to a request on its way. Some of it would also be said of a header that cannot be sent, which is why
# `calls` and `connection` let none through.
BROKEN = (httpx2.TransportError, httpx2.DecodingError)

LARGEST_EVENT_BYTES = 64 * 1024 * 1024  # many times the largest answer that a service allows
USER_AGENT = "inturn-python"


class ClientOptions(TypedDict):
    base_url: str
    headers: dict[str, str]
    trust_env: bool


def client_options(connection: Connection) -> ClientOptions:
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **connection.headers}
    return {"base_url": connection.base_url, "headers": headers, "trust_env": not connection.is_loopback}


def build(client: "httpx2.Client | httpx2.AsyncClient", call: Call) -> httpx2.Request:
    kind = {"Content-Type": "application/json"} if call.body is not None else {}
    return client.build_request(
        call.method,
        call.path,
        params=dict(call.query),
        headers={**kind, **trace_headers(), **call.headers},
        content=call.body,
        timeout=httpx2.Timeout(call.read_seconds, connect=CONNECT_SECONDS),
    )


def events(response: httpx2.Response) -> httpx2.EventSource:
    return httpx2.EventSource(response, max_event_size=LARGEST_EVENT_BYTES)


def heard(response: httpx2.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=body)


def sent(event: httpx2.ServerSentEvent) -> ServerSent:
    return ServerSent(event=event.event, data=event.data, id=event.id)


def lost(error: Exception, connection: Connection) -> Lost:
    why = str(error) or type(error).__name__
    return Lost(f"No answer from {connection.base_url}: {why}.")
