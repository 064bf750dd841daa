"""Lease renewal over a connection that gevent does not patch, for a real thread.

A patched thread is a greenlet: it waits behind a run that computes without yielding. A real thread gets its share of
the interpreter, but must not use anything patched, so this connection is made of the original sockets. It speaks the
Redis protocol through hiredis; redis-py would open patched sockets.
"""

import socket
from collections.abc import Mapping, Sequence
from typing import Any

import hiredis
from gevent.monkey import get_original

from turns.backend.address import StoreAddress, parse_store_url
from turns.backend.script_loader import render, render_constants
from turns.backend.script_replies import Reply, to_outcomes
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.run.claim import Claim

READ_BYTES = 65_536


class UnpatchedConnection:
    """A connected and authenticated connection. Its methods raise `OSError` and `hiredis.HiredisError`."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        path: str = "",
        host: str = "localhost",
        port: int = 6379,
        username: str | None = None,
        password: str | None = None,
        db: int = 0,
        **_: Any,
    ) -> None:
        self._reader = hiredis.Reader()
        self._socket = _open(path, host, port, timeout_seconds)
        try:
            if password:
                self.call("AUTH", *([username] if username else []), password)
            if db:
                self.call("SELECT", db)
        except BaseException:
            self.close()
            raise

    def call(self, *command: Any) -> Any:
        """Send one command and return its reply. Raises `hiredis.ReplyError` for an error reply."""
        self._socket.sendall(hiredis.pack_command(command))
        while (reply := self._reader.gets()) is False:
            received = self._socket.recv(READ_BYTES)
            if not received:
                raise ConnectionError("the store closed the connection")
            self._reader.feed(received)
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        return reply

    def close(self) -> None:
        self._socket.close()


class UnpatchedLeaseClient:
    """The verbs `renew` and `release` over an unpatched connection, which is opened when needed and after an error."""

    def __init__(self, settings: Settings) -> None:
        constants = render_constants(settings)
        self._renew, self._release = (render(verb, constants) for verb in ("renew", "release"))
        self._address = parse_store_url(settings.store_url)
        self._timeout_seconds = settings.renew_seconds / 2
        self._connection: UnpatchedConnection | None = None

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """Renew the leases of these claims, as `TurnStore.renew` does. Raises `StoreUnavailable`."""
        leases = [part for claim in claims for part in (claim.turn_id, claim.token)]
        return to_outcomes(self._call(self._renew, *leases))

    def release(self, claims: Sequence[Claim]) -> None:
        """Queue the turns of these claims again at once, as `TurnStore.release` does. Raises `StoreUnavailable`."""
        for claim in claims:
            self._call(self._release, claim.turn_id, claim.token)

    def _call(self, script: str, *arguments: str) -> Any:
        try:
            self._connection = self._connection or self._connect()
            return self._connection.call("EVAL", script, 0, *arguments)
        except (hiredis.HiredisError, OSError) as error:
            if self._connection:
                self._connection.close()
            self._connection = None
            raise StoreUnavailable(f"the store cannot be reached: {error}") from error

    def _connect(self) -> UnpatchedConnection:
        primary = _find_primary(self._address, self._timeout_seconds) if self._address.sentinels else {}
        return UnpatchedConnection(timeout_seconds=self._timeout_seconds, **{**self._address.options, **primary})


def _open(path: str, host: str, port: int, timeout_seconds: float) -> socket.socket:
    original_socket, getaddrinfo = get_original("socket", ["socket", "getaddrinfo"])
    family, address = (socket.AF_UNIX, path) if path else _resolve(getaddrinfo, host, port)
    opened: socket.socket = original_socket(family, socket.SOCK_STREAM)
    opened.settimeout(timeout_seconds)
    try:
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened


def _resolve(getaddrinfo: Any, host: str, port: int) -> tuple[int, Any]:
    family, *_, address = getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    return family, address


def _find_primary(address: StoreAddress, timeout_seconds: float) -> Mapping[str, Any]:
    """Return the primary's host and port from the first Sentinel that knows them. Raises `OSError` if none does."""
    for host, port in address.sentinels:
        try:
            sentinel = UnpatchedConnection(
                timeout_seconds=timeout_seconds, host=host, port=port, **address.sentinel_options
            )
        except (hiredis.HiredisError, OSError):
            continue
        try:
            found = sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service)
        except (hiredis.HiredisError, OSError):
            continue
        finally:
            sentinel.close()
        if found:
            return {"host": found[0].decode(), "port": int(found[1])}
    raise ConnectionError(f"no Sentinel knows the primary of {address.service}")
