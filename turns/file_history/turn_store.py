"""The turn store for histories in files.

The session's record has the number of committed messages and the version of the file that contains them. A version is
written to the disk before the commit names it, and renamed to the session's file after that. If the worker dies in
between, the next reader finds the version under the name in the record.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.script_replies import Reply
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, HistoryUnusable, LeaseLost, StoreUnavailable
from turns.domain.messages import window_length
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim, FileVersion
from turns.domain.run.retry import Retry
from turns.domain.run.spending import Spending
from turns.file_history.files import HistoryFiles
from turns.file_history.offload import DiskUnavailable, run_disk_io
from turns.store.partitioned.turns import PartitionedTurnStore
from turns.store.turns import NOTHING, TurnStore

MAX_STAGED = 10_000  # more than the unanswered commits of one process
DISK_RETRY_SECONDS = 5.0
STALE_SECONDS = 86_400.0  # longer than any run, so that no worker will commit a version of this age


def open_turn_store(client: Client, settings: Settings, *, offload: Offload = run_inline) -> TurnStore:
    """Return the store for `INTURN_HISTORY` and `REDIS_URL`; `offload` runs its disk I/O."""
    if settings.partitions:
        return PartitionedTurnStore(client, settings)
    if settings.history_directory is None:
        return TurnStore(client, settings)
    return FileHistoryTurnStore(client, settings, HistoryFiles(settings.history_directory), offload)


def prepare_or_exit(settings: Settings) -> None:
    """Create the directory of the histories; if that fails, print the reason and exit with code 2."""
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
        self._offload = offload
        # Tokens of the versions that were written. A repeated commit must not write its version again: if a later turn
        # has been committed in the meantime, publishing the version again would remove that turn from the history.
        self._staged: dict[str, None] = {}

    def claim(self, turn_id: str, *, worker: str, model: str = "", fallback_model: str = "") -> Claim | None:
        """Claim a turn like `TurnStore.claim`; fail it if the history file of its session cannot be used."""
        claim = super().claim(turn_id, worker=worker, model=model, fallback_model=fallback_model)
        if claim is None or claim.stands_alone:
            return claim
        try:
            return self._with_messages(claim)
        except StoreUnavailable:  # The disk failed, not the turn, so this costs no attempt.
            decision = Retry(after_seconds=DISK_RETRY_SECONDS, counts=False)
            self.retry(claim, Code.HISTORY_UNUSABLE, decision, model=claim.model)
            raise
        except Exception as error:  # also for a count that another program has changed
            get_logger().warning(Log.TURN_FAILED, turn_id=turn_id, code=Code.HISTORY_UNUSABLE, error=str(error))
            self.fail(claim, Code.HISTORY_UNUSABLE)
            return None

    def commit(
        self,
        claim: Claim,
        answer: Answer,
        *,
        tail: str,
        keeps_events: bool = True,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        """Commit a turn like `TurnStore.commit`."""
        with self._version(claim, (answer.question_message, *answer.between_messages, answer.answer_message)):
            super().commit(
                claim,
                answer,
                tail=tail,
                keeps_events=keeps_events,
                provider_request_id=provider_request_id,
                spending=spending,
            )

    def interrupt(
        self, claim: Claim, answer: Answer, *, tail: str, keeps_events: bool = True, spending: Spending = NOTHING
    ) -> None:
        """End a turn like `TurnStore.interrupt`."""
        messages = [message for message in (answer.question_message, answer.answer_message) if message]
        writes_nothing = claim.replaced and not answer.answer_message
        with nullcontext() if writes_nothing else self._version(claim, messages):
            super().interrupt(claim, answer, tail=tail, keeps_events=keeps_events, spending=spending)

    def tidy(self) -> None:
        """Publish or delete the versions of workers that died, depending on whether they were committed."""
        for session, version in list(self._files.find_stale_versions(older_than_seconds=STALE_SECONDS)):
            committed = self._client.hget(keys.SESSION(session), "file")
            if committed == version.encode():
                self._files.publish(session, version)
            else:
                self._files.discard(session, version)

    def _with_messages(self, claim: Claim) -> Claim:
        """Return the claim with its messages.

        If the session has no count yet, all messages in its file are committed: LangChain or a copy put them there.
        """
        counted, version = (part.decode() for part in claim.messages)
        stored = run_disk_io(lambda: self._load(claim.session, version), self._offload)
        if not counted:
            counted = str(len(stored))
            self._client.hsetnx(keys.SESSION(claim.session), "messages", counted)
        file_version = FileVersion(int(counted), version)
        committed = committed_messages(stored, file_version.count)[: file_version.count - claim.replaced]
        own_window = claim.assistant.history_messages
        window = self._settings.history_window if own_window is None else own_window
        length = window_length(len(committed), window)
        return replace(claim, messages=tuple(committed[len(committed) - length :]), file_version=file_version)

    def _load(self, session: str, version: str) -> list[bytes]:
        if version:
            self._files.publish(session, version)  # in case its worker died before it could
        return self._files.read_messages(session) or []

    @contextmanager
    def _version(self, claim: Claim, messages: Sequence[str]) -> Iterator[None]:
        """Write the next version before the block, which commits it, and publish it afterwards.

        If the block raises `LeaseLost`, delete the version. A turn that stands alone has no file.
        """
        if claim.stands_alone:
            yield
            return
        if claim.token not in self._staged:
            self._stage(claim, messages)
            self._staged[claim.token] = None
            if len(self._staged) > MAX_STAGED:
                del self._staged[next(iter(self._staged))]
        try:
            yield
        except LeaseLost:
            run_disk_io(lambda: self._files.discard(claim.session, claim.token), self._offload)
            raise
        run_disk_io(lambda: self._files.publish(claim.session, claim.token), self._offload)

    def _stage(self, claim: Claim, messages: Sequence[str]) -> None:
        base = cast(FileVersion, claim.file_version)

        def stage() -> None:
            stored = self._files.read_messages(claim.session, base.version) or []
            kept = committed_messages(stored, base.count)[: base.count - claim.replaced]
            self._files.stage(claim.session, claim.token, [*kept, *messages])

        try:
            run_disk_io(stage, self._offload)
        except HistoryUnusable as error:  # The claim could read the file; since then it was erased or damaged.
            if (claim.token, Reply.LOST) in self.renew([claim]):
                raise LeaseLost from error
            raise DiskUnavailable(str(error)) from error


def committed_messages(stored: list[bytes], count: int) -> list[bytes]:
    """Return the committed messages of a file, which are its first ones.

    Raises `HistoryUnusable` if the file has fewer.
    """
    if len(stored) < count:
        raise HistoryUnusable(f"{count} messages are committed, but the file has {len(stored)}")
    return stored[:count]
