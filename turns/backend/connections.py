"""The connections that the client's pool opens."""

import time
from contextlib import suppress
from typing import Any

from redis.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ResponseError
from redis.sentinel import SentinelManagedConnection

RECENT_SECONDS = 1.0


class ReusedConnection(AbstractConnection):
    """A connection that is not checked again shortly after its last use.

    Before each command the pool asks whether an idle connection is readable, to find one that was closed or that has a
    stale reply. Under gevent the question takes a round through the event loop: five commands a turn, 5 % of its CPU.
    It can be skipped when the last command and its reply were complete a moment ago: no reply is left then, and a
    command on a connection that was closed since is retried.
    """

    is_complete = False  # the last command was a single one, and its reply was read
    expects_one_reply = False
    used_at = 0.0

    def send_packed_command(self, *args: Any, **options: Any) -> None:
        self.is_complete = self.expects_one_reply = False
        super().send_packed_command(*args, **options)  # type: ignore[no-untyped-call]  # untyped in redis-py

    def send_command(self, *args: Any, **options: Any) -> None:
        super().send_command(*args, **options)  # type: ignore[no-untyped-call]  # untyped in redis-py
        self.expects_one_reply = True  # a pipeline sends all its commands as one packed command

    def read_response(self, *args: Any, **options: Any) -> Any:
        reply = super().read_response(*args, **options)
        self.is_complete, self.used_at = self.expects_one_reply, time.monotonic()
        return reply

    def check_health(self) -> None:
        """Check an idle connection with PING; any reply will do.

        A store that cannot save to its disk refuses PING too (MISCONF), and still answers reads.
        """
        with suppress(ResponseError):
            super().check_health()  # type: ignore[no-untyped-call]  # untyped in redis-py

    def can_read(self, timeout: float = 0) -> bool:
        if self.is_complete and not timeout and time.monotonic() - self.used_at < RECENT_SECONDS:
            return False
        return bool(super().can_read(timeout))


class TcpConnection(ReusedConnection, Connection):
    """A connection over TCP."""


class TlsConnection(ReusedConnection, SSLConnection):
    """A connection over TLS."""


class SocketFileConnection(ReusedConnection, UnixDomainSocketConnection):
    """A connection to a socket file; redis-py 8.1 reads `port` when connecting to one times out."""

    port = 0


class PrimaryConnection(ReusedConnection, SentinelManagedConnection):
    """A connection to the primary that Sentinels name.

    redis-py 8.1 keeps this kind of connection open when a blocked read is interrupted. Without `disconnect_on_error`,
    the next user of the connection would read the stale reply.
    """

    def read_response(self, *args: Any, disconnect_on_error: bool | None = True, **options: Any) -> Any:
        return super().read_response(*args, disconnect_on_error=disconnect_on_error, **options)
