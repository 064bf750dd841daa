"""Memory of API keys in the data directory, so that an empty or restored store cannot undo what happened to them."""

import time
from collections.abc import Iterator
from pathlib import Path

from turns.access.api_keys import ApiKeyStore
from turns.domain.errors import KeyNotFound

FILE_MODE = 0o600


class KeyRecord:
    """A file beside the embedded store: it exists once an API key was created.

    Each line is the id of a revoked key, or the id of a rotated one and the time (ms) at which it ends.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "api-keys"

    @property
    def requires_keys(self) -> bool:
        return self._path.exists()

    def require_keys(self) -> None:
        """Remember that callers need a key; only deleting the file forgets it."""
        self._path.touch(FILE_MODE)

    def add_revoked(self, key_id: str) -> None:
        self._add(key_id)

    def add_rotated(self, key_id: str, *, ends_at: int) -> None:
        self._add(f"{key_id} {ends_at}")

    def revoke_again(self, api_keys: ApiKeyStore) -> list[str]:
        """Revoke the keys that were revoked before and are valid in the store; return their ids."""
        if not self.requires_keys:
            return []
        return [key_id for key_id, ends_at in self._read() if _end_again(api_keys, key_id, ends_at)]

    def _add(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def _read(self) -> Iterator[tuple[str, int]]:
        for line in self._path.read_text(encoding="utf-8").splitlines():
            key_id, _, ends_at = line.strip().partition(" ")
            yield key_id, int(ends_at or 0)


def _end_again(api_keys: ApiKeyStore, key_id: str, ends_at: int) -> bool:
    """Return whether the key was valid although it has ended."""
    try:
        was_active = api_keys.get_key(key_id).is_active
    except KeyNotFound:
        return False
    if was_active and ends_at > time.time() * 1000:
        api_keys.end_key(key_id, at=ends_at)
        return False
    if was_active:
        api_keys.revoke_key(key_id)
    return was_active
