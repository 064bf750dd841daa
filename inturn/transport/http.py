"""Conversion between the protocol's values and those of httpx2, for both transports."""

from typing import TypeVar

import httpx2

from inturn.errors import ConfigurationError
from inturn.protocol.requests import Request, Response
from inturn.protocol.steps import ServerSentEvent, TransportFailure
from inturn.transport.connection import CONNECT_TIMEOUT_SECONDS, ConnectionSettings
from inturn.transport.tracing import trace_headers

# httpx2 also raises a TransportError for a header that cannot be sent. That must not look like a broken connection, so
# `protocol.requests` and `ConnectionSettings` reject such headers first.
TRANSPORT_ERRORS = (httpx2.TransportError, httpx2.DecodingError)

MAX_EVENT_BYTES = 64 * 1024 * 1024  # many times the longest answer that a service allows
USER_AGENT = "inturn-python"


Client = TypeVar("Client", httpx2.Client, httpx2.AsyncClient)


def create_client(client_class: type[Client], connection: ConnectionSettings) -> Client:
    """Return an HTTP client. Raise `ConfigurationError` for a proxy or certificates that cannot be used."""
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **connection.headers}
    try:
        return client_class(base_url=connection.base_url, headers=headers, trust_env=not connection.is_loopback)
    except (ImportError, OSError, ValueError) as error:  # its text may quote the password of a proxy
        raise ConfigurationError(
            f"No HTTP client can be created ({type(error).__name__}). Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and "
            "SSL_CERT_FILE; a SOCKS proxy needs the package socksio."
        ) from None


def build_request(client: "httpx2.Client | httpx2.AsyncClient", request: Request) -> httpx2.Request:
    content_type = {"Content-Type": "application/json"} if request.body is not None else {}
    return client.build_request(
        request.method,
        request.path,
        params=dict(request.query),
        headers={**content_type, **trace_headers(), **request.headers},
        content=request.body,
        timeout=httpx2.Timeout(request.read_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
    )


def event_source(response: httpx2.Response) -> httpx2.EventSource:
    return httpx2.EventSource(response, max_event_size=MAX_EVENT_BYTES)


def to_response(response: httpx2.Response, body: bytes) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(status=response.status_code, headers=headers, body=body)


def to_event(event: httpx2.ServerSentEvent) -> ServerSentEvent:
    return ServerSentEvent(event=event.event, data=event.data, id=event.id)


def to_failure(error: Exception, connection: ConnectionSettings) -> TransportFailure:
    reason = str(error) or type(error).__name__
    return TransportFailure(f"No response from {connection.base_url}: {reason}.")
