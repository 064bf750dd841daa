"""API keys that stay valid for a while although the home partition of a Redis Cluster, which has them, is away."""

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from turns.access.api_key import ApiKey
from turns.access.api_keys import ApiKeyStore
from turns.backend.client import Client
from turns.backend.partition.tags import HOME
from turns.domain.errors import StoreUnavailable

T = TypeVar("T")
# While the home partition is away no key can be revoked, so this costs no safety then. The bound is for a process that
# alone cannot reach it: there a revoked key works this long. A fail-over takes seconds, and a restart minutes.
REMEMBERED_SECONDS = 600.0
MAX_REMEMBERED = 10_000  # valid keys; about 5 MB


class RememberedKeys(ApiKeyStore):
    """Reads keys as they were within the last `REMEMBERED_SECONDS` while the home partition is away.

    One of many readers waits for it every two seconds. Without a memory, and for all changes, methods raise
    `StoreUnavailable`.
    """

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._all = client
        self._requires: tuple[float, bool] | None = None
        self._signers: dict[str, tuple[float, tuple[ApiKey, str] | None]] = {}

    def has_keys(self) -> bool:
        self._requires = self._read(super().has_keys, self._requires)
        return self._requires[1]

    def find_signer(self, key_id: str) -> tuple[ApiKey, str] | None:
        read_at, found = self._read(partial(super().find_signer, key_id), self._signers.get(key_id))
        if found is None or _has_expired(found[0]):
            self._signers.pop(key_id, None)
            return None
        if key_id not in self._signers and len(self._signers) >= MAX_REMEMBERED:
            self._signers.clear()
        self._signers[key_id] = read_at, found
        return found

    def _read(self, read: Callable[[], T], remembered: tuple[float, T] | None) -> tuple[float, T]:
        """Return the time of an answer and the answer: the present one, or the remembered one."""
        now = time.monotonic()
        try:
            return now, self._all.gather({HOME: read})[HOME]
        except StoreUnavailable:
            if remembered is None or now - remembered[0] > REMEMBERED_SECONDS:
                raise
            return remembered


def _has_expired(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at < time.time() * 1000
