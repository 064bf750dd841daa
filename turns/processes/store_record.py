"""A file that remembers which store a data directory has, so that a start notices an emptied or replaced one."""

import secrets
from pathlib import Path
from typing import cast

from turns.backend import keys
from turns.backend.client import Client


class StoreRecord:
    """The file `store-id` beside the embedded store."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "store-id"

    def follow(self, client: Client) -> bool:
        """Remember this store, and return whether it is another one than before. Raises `StoreUnavailable`.

        A store that was emptied is another one.
        """
        client.hsetnx(keys.SERVICE.name, "store_id", secrets.token_hex(8))
        present = cast(bytes, client.hget(keys.SERVICE.name, "store_id")).decode()
        before = self._path.read_text(encoding="utf-8").strip() if self._path.exists() else present
        self._path.write_text(f"{present}\n", encoding="utf-8")
        return present != before
