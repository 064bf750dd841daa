"""One connection to Redis that gevent does not know of, for a thread that a busy interpreter must not starve.

A patched thread is a greenlet: it waits for its turn behind a run that computes. A real thread gets its share of the
interpreter, but must not touch anything patched; so this connection is made of the original sockets.
"""

import socket
from collections.abc import Sequence
from typing import Any, cast

from gevent.monkey import get_original
from redis.backoff import NoBackoff
from redis.connection import Connection, parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

from turns.errors import StoreUnavailable
from turns.scripts import Reply, render, render_constants, words
from turns.settings import Settings
from turns.turn import Claim


class PlainConnection(Connection):
    """Redis' own connection over the original sockets: to a path if there is one, else to host and port."""

    def __init__(self, *, path: str = "", **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]  # untyped in redis-py
        self._path = path
        self.retry = Retry(NoBackoff(), 0)

    def _connect(self) -> Any:
        original_socket, getaddrinfo = get_original("socket", ["socket", "getaddrinfo"])
        address: Any = self._path
        family = socket.AF_UNIX
        if not self._path:
            family, *_, address = getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)[0]
        line = original_socket(family, socket.SOCK_STREAM)
        line.settimeout(self.socket_timeout)
        try:
            line.connect(address)
        except OSError:
            line.close()
            raise
        return line


class PlainRenewal:
    """The verb `renew` over a plain connection, made at need and made again after an error."""

    def __init__(self, settings: Settings) -> None:
        self._script = render("renew", render_constants(settings))
        options: dict[str, Any] = parse_url(settings.store_url)  # type: ignore[no-untyped-call]  # untyped in redis-py
        options.pop("connection_class", None)
        self._options = {**options, "socket_timeout": settings.renew_seconds / 2}
        self._connection: PlainConnection | None = None

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """As `TurnStore.renew`."""
        try:
            if self._connection is None:
                self._connection = PlainConnection(**self._options)
            line = cast(Any, self._connection)
            held = [part for claim in claims for part in (claim.turn_id, claim.token)]
            line.connect()
            line.send_command("EVAL", self._script, 0, *held)
            return words(line.read_response())
        except (RedisError, OSError) as error:
            if self._connection is not None:
                self._connection.disconnect()  # type: ignore[no-untyped-call]  # untyped in redis-py
            raise StoreUnavailable(f"the store cannot be reached: {error}") from error
