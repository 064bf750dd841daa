"""Take items from a list that may move to another node at any time."""

from typing import Any

import redis

from turns.backend.client import Client
from turns.domain.errors import StoreUnavailable

SLACK_SECONDS = 2  # after which a node that has not answered BRPOP in its own time is given up


class ListReader:
    """Pops items over one connection, which it opens to the node that has the list. For one thread."""

    def __init__(self, client: Client, key: str) -> None:
        """`key` is its name in the client's part of the store."""
        self._client = client
        self._key = key
        self._connection: Any = None

    def pop(self, *, seconds: int) -> bytes | None:
        """Return the last item; None if there is none for this time.

        Raises `StoreUnavailable` if the list has moved, is being moved, or cannot be reached. The next call finds it.
        """
        try:
            self._connection = self._connection or self._connect()
            self._connection.send_command("BRPOP", self._client.stored_name(self._key), seconds)
            reply = self._connection.read_response(timeout=seconds + SLACK_SECONDS)
        except (redis.RedisError, OSError) as error:
            self.close()
            raise StoreUnavailable(f"a list cannot be read: {error}") from error
        return reply[1] if reply else None

    def put_back(self, item: bytes) -> None:
        """Make this the last item again. Raises `StoreUnavailable`."""
        self._client.execute_command("RPUSH", self._key, item)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _connect(self) -> Any:
        self._client.execute_command("LLEN", self._key)  # follows MOVED, so that the connection leads to the owner
        connection = self._client.new_connection()
        connection.connect()
        return connection
