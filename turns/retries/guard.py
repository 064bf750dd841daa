"""Give a repeated request the idempotency key of its first attempt."""

from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.ids import new_token

GUARD_SECONDS = 60


class RetryGuard:
    """Raises `StoreUnavailable`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find_key(self, digest: str, *, is_retry: bool, seconds: float = 0) -> str:
        """Return the idempotency key of the request with this digest; for its first attempt a new one.

        It is known for a minute more than the `seconds` for which the request may be held. Two equal requests that are
        no retries have two keys, of which a retry gets the newer one.
        """
        name, ttl = keys.SENT_REQUEST(digest), round(GUARD_SECONDS + seconds)
        if is_retry and (found := cast(bytes | None, self._client.getex(name, ex=ttl))):
            return found.decode()
        key = new_token()
        self._client.set(name, key, ex=ttl)
        return key
