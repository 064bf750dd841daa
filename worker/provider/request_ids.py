"""The ids of a request to the provider, by which its log and ours can be compared: ours, and that of its server."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# OpenAI keeps the first one in its logs, and answers with the second one; Anthropic and others with the third.
# https://platform.openai.com/docs/api-reference/debugging-requests
CLIENT_HEADER = "X-Client-Request-Id"
SERVER_HEADERS = (b"x-request-id", b"request-id")
PLAUSIBLE = re.compile(rb"[A-Za-z0-9._:/=+-]{1,128}")


@dataclass(slots=True)
class ProviderRequest:
    """The requests of one run: the id that all of them carry, and that of the server for the last one.

    `on_reasoning` receives the reasoning of the models, if callers are to see it. `extras`: citations and images in
    their answers.
    """

    client_id: str
    server_id: str | None = None
    on_reasoning: Callable[[str], object] | None = None
    extras: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ids(self) -> dict[str, str]:
        """The server's id for the log and the record, if it has told one."""
        return {"provider_request_id": self.server_id} if self.server_id else {}

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Let the requests inside the block have these ids, also those in threads and tasks that it starts."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[ProviderRequest | None] = ContextVar("provider_request", default=None)
current_request = _current.get


def read_server_id(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep the server's id for the current request if the headers of the response have one."""
    if request := current_request():
        for name, value in headers:
            if name.lower() in SERVER_HEADERS and PLAUSIBLE.fullmatch(value):
                request.server_id = value.decode()
                return
