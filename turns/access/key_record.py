"""What the data directory remembers about API keys, so that an empty or restored store cannot undo it."""

from pathlib import Path

from turns.access.api_keys import ApiKeyStore

FILE_MODE = 0o600


class KeyRecord:
    """A file beside the embedded store: it exists once an API key was created, and lists the ids of revoked keys."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "api-keys"

    @property
    def requires_keys(self) -> bool:
        return self._path.exists()

    def require_keys(self) -> None:
        """Remember that callers need a key; only deleting the file forgets it."""
        self._path.touch(FILE_MODE)

    def add_revoked(self, key_id: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{key_id}\n")

    def revoke_again(self, api_keys: ApiKeyStore) -> list[str]:
        """Revoke the keys that were revoked before and are in the store; return their ids."""
        if not self.requires_keys:
            return []
        return [key_id for key_id in self._path.read_text(encoding="utf-8").split() if api_keys.revoke_key(key_id)]
