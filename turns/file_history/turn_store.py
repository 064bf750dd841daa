"""The store, where histories are files. It counts what is committed, and says which version of a file that is in.

A version is written whole, to disk, before the commit names it, and gets the name that others read after that. Between
the two a worker may die: then whoever comes next finds it by the name that was committed.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from turns.assistants.overrides import settings_for
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, HistoryUnusable, LeaseLost, StoreUnavailable
from turns.domain.messages import window_length
from turns.domain.retry import Retry
from turns.domain.turn import Answer, Claim, FileVersion
from turns.file_history.files import HistoryFiles
from turns.file_history.offload import Offload, on_disk, run_inline
from turns.store.turns import TurnStore

MAX_STAGED = 10_000  # more than one process has in doubt at once
DISK_AWAY_SECONDS = 5.0
LEFT_OVER_SECONDS = 86_400.0  # no run takes so long, so no version that old will be committed by anybody


def open_turn_store(client: Client, settings: Settings, *, offload: Offload = run_inline) -> TurnStore:
    """`apart` does work that waits for a disk where nobody else has to wait with it."""
    if settings.history_directory is None:
        return TurnStore(client, settings)
    return FileHistoryTurnStore(client, settings, HistoryFiles(settings.history_directory), offload)


def prepare_or_exit(settings: Settings) -> None:
    """For entry points: where histories are to be files and cannot be, the process ends with code 2 and says why."""
    try:
        if settings.history_directory:
            HistoryFiles(settings.history_directory).prepare()
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None


class FileHistoryTurnStore(TurnStore):
    def __init__(self, client: Client, settings: Settings, files: HistoryFiles, offload: Offload = run_inline) -> None:
        super().__init__(client, settings)
        self._files = files
        self._apart = offload
        # A version is written once. When its commit is asked for again it may have been published and have a successor;
        # written again, it would be published again, in the place of that.
        self._staged: dict[str, None] = {}

    def claim(self, turn_id: str, *, worker: str, model: str = "", fallback_model: str = "") -> Claim | None:
        """As in any store. A turn whose session's file cannot be used has failed."""
        claim = super().claim(turn_id, worker=worker, model=model, fallback_model=fallback_model)
        if claim is None:
            return None
        try:
            return self._with_messages(claim)
        except HistoryUnusable as error:
            get_logger().warning(Log.TURN_FAILED, turn_id=turn_id, code=Code.HISTORY_UNUSABLE, error=str(error))
            self.fail(claim, Code.HISTORY_UNUSABLE)
            return None
        except StoreUnavailable:  # as with a store that is away: no attempt is lost by it
            again = Retry(after_seconds=DISK_AWAY_SECONDS, counts=False)
            self.retry(claim, Code.HISTORY_UNUSABLE, again, model=claim.model)
            raise

    def commit(self, claim: Claim, answer: Answer, *, tail: str) -> None:
        """As in any store."""
        with self._version(claim, (answer.question_message, *answer.between_messages, answer.answer_message)):
            super().commit(claim, answer, tail=tail)

    def interrupt(self, claim: Claim, answer: Answer, *, tail: str) -> None:
        """As in any store."""
        said = [message for message in (answer.question_message, answer.answer_message) if message]
        with self._version(claim, said):
            super().interrupt(claim, answer, tail=tail)

    def tidy(self) -> None:
        """Versions that a dead worker left behind are published if they were committed, and else are gone."""
        for session, version in list(self._files.left_over(older_than_seconds=LEFT_OVER_SECONDS)):
            committed = self._client.hget(keys.SESSION(session), "file")
            if committed == version.encode():
                self._files.publish(session, version)
            else:
                self._files.discard(session, version)

    def _with_messages(self, claim: Claim) -> Claim:
        """What is committed. A file that was there before the session had a turn counts as that, for ever."""
        counted, version = (part.decode() for part in claim.messages)
        stored = on_disk(lambda: self._load(claim.session, version), self._apart)
        if not counted:
            counted = str(len(stored))
            self._client.hsetnx(keys.SESSION(claim.session), "messages", counted)
        filed = FileVersion(int(counted), version)
        committed = _committed(stored, filed)
        seen = window_length(filed.count, settings_for(claim.assistant, self._settings).history_window)
        return replace(claim, messages=tuple(committed[filed.count - seen :]), file_version=filed)

    def _load(self, session: str, version: str) -> list[bytes]:
        if version:
            self._files.publish(session, version)  # unless its worker did
        return self._files.read_messages(session) or []

    @contextmanager
    def _version(self, claim: Claim, said: Sequence[str]) -> Iterator[None]:
        """Inside, the next version is on disk; the commit names it. If nothing is committed it is gone."""
        if claim.token not in self._staged:
            self._stage(claim, said)
            self._staged[claim.token] = None
            if len(self._staged) > MAX_STAGED:
                del self._staged[next(iter(self._staged))]
        try:
            yield
        except LeaseLost:
            on_disk(lambda: self._files.discard(claim.session, claim.token), self._apart)
            raise
        on_disk(lambda: self._files.publish(claim.session, claim.token), self._apart)

    def _stage(self, claim: Claim, said: Sequence[str]) -> None:
        filed = cast(FileVersion, claim.file_version)

        def stage() -> None:
            before = _committed(self._files.read_messages(claim.session, filed.version) or [], filed)
            self._files.stage(claim.session, claim.token, [*before, *said])

        try:
            on_disk(stage, self._apart)
        except HistoryUnusable as error:  # it was usable at the claim: somebody erased the session, or lost its file
            if (claim.token, Reply.LOST) in self.renew([claim]):
                raise LeaseLost from error
            raise StoreUnavailable(str(error)) from error


def _committed(stored: list[bytes], filed: FileVersion) -> list[bytes]:
    """The committed ones of these. Raises `HistoryUnusable` where some are missing."""
    if len(stored) < filed.count:
        raise HistoryUnusable(f"{filed.count} messages are committed, and the file has {len(stored)}")
    return stored[: filed.count]
