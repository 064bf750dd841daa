"""Copies of a history's oldest messages for a fork, if histories are files; lists are copied by the scripts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.config.settings import Settings
from turns.domain.content.parts import FILE_ID
from turns.domain.ids import new_token
from turns.file_history.files import HistoryFiles
from turns.file_history.offload import run_disk_io
from turns.file_history.turn_store import committed_messages


class Copy:
    """One copy: the `version` of its file, and the number of messages in it. `is_committed`: a script names it.

    `files` are the ids of the uploaded files of these messages, each once for every message that refers to it.
    """

    def __init__(self, version: str, count: int | None, files: str = "") -> None:
        self.version = version
        self.count = count
        self.files = files
        self.is_committed = False


class HistoryCopies:
    def __init__(self, client: Client, settings: Settings, offload: Offload = run_inline) -> None:
        self._client = client
        self._offload = offload
        self._files = HistoryFiles(settings.history_directory) if settings.history_directory else None

    @property
    def are_files(self) -> bool:
        return self._files is not None

    @contextmanager
    def copied(self, source: str, target: str, count: int | None) -> Iterator[Copy]:
        """Write the first `count` messages of a session, or all, to a version of another one's file.

        Afterwards publish it if the block has committed it. If the store does not reply, the version stays;
        `FileHistoryTurnStore.tidy` publishes or deletes it later. Raises `HistoryUnusable` or `StoreUnavailable`.
        """
        version = new_token()
        if (files := self._files) is None:
            yield Copy(version, None)
            return
        found = cast(list[bytes | None], self._client.hmget(keys.SESSION(source), ["messages", "file"]))
        counted, source_version = ((value or b"").decode() for value in found)
        wanted = int(counted or 0) if count is None else count

        def stage() -> str:
            stored = committed_messages(files.read_messages(source, source_version) or [], wanted)
            files.stage(target, version, stored)
            return " ".join(id for message in stored for id in set(FILE_ID.findall(message.decode())))

        copy = Copy(version, wanted, run_disk_io(stage, self._offload))
        yield copy
        finish = files.publish if copy.is_committed else files.discard
        run_disk_io(lambda: finish(target, version), self._offload)
