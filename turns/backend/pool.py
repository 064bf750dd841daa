"""The connections of a process to its store, for which callers wait when all are in use; redis-py's own pool raises."""

from collections import deque
from contextlib import suppress
from typing import Any

from redis.connection import BlockingConnectionPool
from redis.exceptions import ConnectionError, TimeoutError


class Pool(BlockingConnectionPool):
    """Idle connections are taken from and given to one end of a deque. redis-py's queue, with its lock and what it
    counts, is for those who wait, because it is fair: through it a command costs 79 µs, and so 63."""

    def reset(self) -> None:
        """Nothing is left of before; redis-py does this at first, and in the child of a fork."""
        self._idle: deque[Any] = deque()
        self._waiting: deque[None] = deque()
        super().reset()  # type: ignore[no-untyped-call]  # untyped in redis-py

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """One that is connected and quiet. Raises `redis.ConnectionError` when none is free in time."""
        self._checkpid()
        if connection := self._take():
            return connection
        self._waiting.append(None)
        try:
            return self._take() or super().get_connection()  # type: ignore[no-untyped-call]  # untyped in redis-py
        finally:
            self._waiting.pop()

    def release(self, connection: Any) -> None:
        self._checkpid()
        if self.owns_connection(connection):
            self._idle.append(connection)
        else:
            super().release(connection)  # type: ignore[no-untyped-call]  # untyped in redis-py
        if self._waiting:
            self._hand_over()

    def disconnect(self, inuse_connections: bool = True) -> None:
        self._hand_over()
        super().disconnect(inuse_connections)

    def open(self, connection: Any) -> None:
        """It is connected; one try, because who asks for this tries again."""
        connection.connect_check_health(retry_socket_connect=False)

    def _take(self) -> Any:
        """None if there is no idle one. One that was cut, or on which another's answer waits, redis-py opens anew."""
        try:
            connection = self._idle.pop()
        except IndexError:
            return None
        is_quiet = False
        try:
            with suppress(ConnectionError, TimeoutError, OSError):
                is_quiet = not connection.can_read()
        finally:  # also for a run that is stopped here: the pool must get it back
            if not is_quiet:
                super().release(connection)  # type: ignore[no-untyped-call]  # untyped in redis-py
        return connection if is_quiet else None

    def _hand_over(self) -> None:
        while self._idle:
            try:
                super().release(self._idle.pop())  # type: ignore[no-untyped-call]  # untyped in redis-py
            except IndexError:  # another thread has taken it
                return
