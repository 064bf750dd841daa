"""One connection to Redis that gevent does not know of, for a thread that a busy interpreter must not starve.

A patched thread is a greenlet: it waits for its turn behind a run that computes. A real thread gets its share of the
interpreter, but must not touch anything patched; so this connection is made of the original sockets.
"""

import socket
from collections.abc import Mapping, Sequence
from typing import Any, cast

from gevent.monkey import get_original
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import RedisError
from redis.retry import Retry

from turns.backend.address import StoreAddress, parse_store_url
from turns.backend.script_loader import render, render_constants
from turns.backend.script_replies import Reply, words
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.turn import Claim


class UnpatchedConnection(Connection):
    """Redis' own connection over the original sockets: to a path if there is one, else to host and port."""

    def __init__(self, *, path: str = "", **options: Any) -> None:
        options.pop("connection_class", None)
        super().__init__(**options)  # type: ignore[no-untyped-call]  # untyped in redis-py
        self._path = path
        self.retry = Retry(NoBackoff(), 0)

    def ask(self, *command: str | int) -> Any:
        """The reply to one command. Raises `RedisError`, `OSError`."""
        line = cast(Any, self)
        try:
            line.connect()
            line.send_command(*command)
            return line.read_response()
        except BaseException:
            line.disconnect()
            raise

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


class UnpatchedLeaseClient:
    """The verb `renew` over a plain connection, made at need and made again after an error."""

    def __init__(self, settings: Settings) -> None:
        self._script = render("renew", render_constants(settings))
        self._address = parse_store_url(settings.store_url)
        self._timeout: dict[str, Any] = {"socket_timeout": settings.renew_seconds / 2}
        self._connection: UnpatchedConnection | None = None

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """As `TurnStore.renew`."""
        held = [part for claim in claims for part in (claim.turn_id, claim.token)]
        try:
            self._connection = self._connection or self._connect()
            return words(self._connection.ask("EVAL", self._script, 0, *held))
        except (RedisError, OSError) as error:
            self._connection = None
            raise StoreUnavailable(f"the store cannot be reached: {error}") from error

    def _connect(self) -> UnpatchedConnection:
        where = _primary(self._address, self._timeout) if self._address.sentinels else {}
        return UnpatchedConnection(**self._address.options, **self._timeout, **where)


def _primary(address: StoreAddress, timeout: Mapping[str, Any]) -> dict[str, Any]:
    """Host and port, from the first Sentinel that knows them. Raises `OSError` where none does."""
    for host, port in address.sentinels:
        sentinel = UnpatchedConnection(host=host, port=port, **address.sentinel_options, **timeout)
        try:
            found = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service)
        except (RedisError, OSError):
            continue
        finally:
            sentinel.disconnect()  # type: ignore[no-untyped-call]  # untyped in redis-py
        if found:
            return {"host": found[0].decode(), "port": int(found[1])}
    raise ConnectionError(f"no Sentinel knows the primary of {address.service}")
