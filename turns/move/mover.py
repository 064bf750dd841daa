"""The steps of a move, each of which can be repeated after a crash.

No process may serve while keys are copied: a change that is made meanwhile would be in one store alone. So the intake
is paused, the operator stops the processes, and both stores have a mark with which no process starts. A target with the
mark is emptied and filled again. The source is marked as moved before the target is opened, so that at no moment both
are served.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.installation import agreed_facts
from turns.backend.partition.move_mark import FIELD, MoveMark, Role, State, read_mark, write_mark
from turns.backend.partition.placement import Partitions
from turns.config.settings import Placement, Settings
from turns.domain.errors import ConfigurationError, StoreUnavailable
from turns.move.copier import Copied, Copier
from turns.move.counting import count_moved, differences
from turns.move.reading import scan_names
from turns.move.stopping import MoveFailed, now_ms, running_processes, take_back_running_turns, wait_until_stopped
from turns.pauses.part import INTAKE
from turns.pauses.pauses import Pauses

LOSE_NEWER = "To give that up: --back --lose-newer"
REASON = "This service is being moved to another store."
NOT_COUNTED_MS = 6 * 3_600_000  # keys that expire sooner may be gone before both stores are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Both stores with their settings."""

    source: Client
    source_settings: Settings
    target: Client
    target_settings: Settings


class Mover:
    def __init__(
        self, stores: Stores, *, report: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._source = stores.source
        self._target = stores.target
        self._home = stores.target.partitions[0]
        self._settings = stores.target_settings
        self._pauses = Pauses(stores.source, stores.source_settings)
        self._source_settings = stores.source_settings
        self._report = report
        self._sleep = sleep
        self._attempt = secrets.token_hex(8)

    def move(self, *, wait_seconds: float) -> Copied | None:
        """Move the installation, or go on with that. Return what was copied; None if that was complete already.

        Raises `ConfigurationError` or `MoveFailed`; then the source is unchanged, but its intake may be paused.
        """
        mark = read_mark(self._source)
        if mark and mark.state is State.MOVED:
            self._open_target(mark)
            return None
        self._check_target(mark)
        self._check_contents()
        mark = mark or self._begin()
        if mark.paused:
            self._pauses.pause(INTAKE, reason=REASON)
        wait_until_stopped(self._source, seconds=wait_seconds, report=self._report, sleep=self._sleep)
        take_back_running_turns(self._source, self._source_settings)
        self._check_target(mark)  # again, because the wait was long
        self._empty_target(mark)
        copied = self._copy()
        self._verify(copied)
        self._check_processes()
        self._check_alone()
        write_mark(self._source, replace(mark, state=State.MOVED))
        self._open_target(mark)
        return copied

    def go_back(self, *, gives_up_newer: bool) -> None:
        """Empty the target and open the source again. Raises `MoveFailed` if that would lose newer turns."""
        mark = read_mark(self._source)
        if mark is None or mark.role is not Role.SOURCE:
            raise MoveFailed("This store is not being moved and was not moved; nothing was changed.")
        try:
            self._give_up_target(mark, gives_up_newer=gives_up_newer)
        except StoreUnavailable as error:
            if mark.state is State.MOVED and not gives_up_newer:
                raise MoveFailed(
                    f"The cluster may have newer turns, and cannot be read: {error}. {LOSE_NEWER}"
                ) from error
            self._report(f"The cluster was left as it is, because it cannot be reached: {error}")
        if mark.paused:
            self._pauses.resume(INTAKE)
        self._source.execute_command("HDEL", keys.SERVICE.name, FIELD)

    # -- before the copy

    def _check_target(self, mark: MoveMark | None) -> None:
        """Raise `ConfigurationError` unless the target is empty or has a part of this move."""
        if mark and mark.role is Role.TARGET:
            raise ConfigurationError("REDIS_URL: this store is the target of a move; use the URL of the old store.")
        found = read_mark(self._home)
        if found and mark and found.id == mark.id and found.state is State.COPYING:
            return
        if found and found.state is State.COPYING:
            raise ConfigurationError("--to: the move of another store into this Redis Cluster is not complete.")
        if name := next(self._names_in_target(), None):
            raise ConfigurationError(f"--to: this Redis Cluster is not empty: it has the key {name}.")

    def _names_in_target(self) -> Iterator[str]:
        for one in self._target.partitions:
            for names in scan_names(one):
                yield from map(one.stored_name, names)

    def _check_contents(self) -> None:
        """Raise `ConfigurationError` for what a cluster with these settings would not keep."""
        [service] = self._source.read_hashes([keys.SERVICE.name], ["history"])
        files, limits = self._source.execute_many([("ZCARD", keys.FILES_DUE.name), ("ZCARD", keys.LIMITED.name)])
        if service.get("history") == "file":
            raise ConfigurationError("INTURN_HISTORY: histories in files cannot be moved into a Redis Cluster.")
        if files and not self._settings.files_directory and not self._settings.files_bucket:
            raise ConfigurationError(
                f"INTURN_FILES: the store has uploaded files ({files}); name where their bytes are, as file:DIR or "
                "s3:BUCKET/PREFIX, because a Redis Cluster has no default directory."
            )
        if limits and self._settings.placement is Placement.SESSION:
            raise ConfigurationError(
                f"Tenants with own limits: {limits}. A Redis Cluster keeps limits of tenants only with "
                "INTURN_PLACEMENT=tenant: set that, here and for all processes, or remove the limits."
            )

    def _begin(self) -> MoveMark:
        """Mark the source, so that no process starts. The move pauses the intake, unless an operator has done so."""
        is_paused = any(pause.part == INTAKE and not pause.is_over for pause in self._pauses.read())
        mark = MoveMark(id=secrets.token_hex(8), role=Role.SOURCE, state=State.COPYING, paused=not is_paused)
        write_mark(self._source, mark)
        return mark

    def _check_processes(self) -> None:
        """Raise `MoveFailed` if a process has served from the source during the copy."""
        if running := running_processes(self._source):
            raise MoveFailed(f"Processes have started meanwhile: {', '.join(running)}. Stop them and run this again.")

    def _check_alone(self) -> None:
        """Raise `MoveFailed` if another process of this move has begun to fill the target again."""
        found = read_mark(self._home)
        if found is None or found.attempt != self._attempt:
            raise MoveFailed("Another process moves this store too, and began later: let that one complete the move.")

    # -- the copy

    def _empty_target(self, mark: MoveMark) -> None:
        """Delete what an earlier attempt has copied. The mark is there first and all the time."""
        own = replace(mark, role=Role.TARGET, state=State.COPYING, attempt=self._attempt)
        facts = agreed_facts(self._settings) | {FIELD: own.text}
        written = [part for pair in facts.items() for part in pair]
        self._home.execute_many([("DEL", keys.SERVICE.name), ("HSET", keys.SERVICE.name, *written)], transaction=True)
        for one in self._target.partitions:
            for names in scan_names(one):
                kept = {keys.SERVICE.name} if one is self._home else set()
                if found := set(names) - kept:
                    one.execute_many([("UNLINK", name) for name in found])

    def _copy(self) -> Copied:
        self._report("Copying…")
        copier = Copier(
            self._source,
            self._target,
            Partitions.of(self._settings),
            cutoff=now_ms(self._source) + NOT_COUNTED_MS,
            report=self._report,
        )
        mark = read_mark(self._source)
        return copier.copy(without_part=str(INTAKE) if mark and mark.paused else "")

    def _verify(self, copied: Copied) -> None:
        """Raise `MoveFailed` unless both stores have as many entries of each kind as were copied."""
        self._report("Counting both stores…")
        changed = [*differences(copied.read, count_moved(self._source, copied))]
        missing = [*differences(copied.written, count_moved(self._target, copied))]
        if changed or missing:
            lines = [*(f"source {line}" for line in changed), *(f"target {line}" for line in missing)]
            raise MoveFailed(
                "The numbers differ, so the cluster must not be used:\n  "
                + "\n  ".join(lines)
                + "\nA process may still write to one of the stores. Stop it and run this again."
            )

    def _open_target(self, mark: MoveMark) -> None:
        """Let processes serve from the target. Raises `MoveFailed` if it is not that of this move."""
        found = read_mark(self._home)
        if found is None or found.id != mark.id:
            raise MoveFailed("This store was moved into another Redis Cluster, or that has lost its data since.")
        write_mark(self._home, replace(found, state=State.MOVED))

    def _give_up_target(self, mark: MoveMark, *, gives_up_newer: bool) -> None:
        """Empty the target if it is that of this move. Raises `MoveFailed` if it has changed since."""
        found = read_mark(self._home)
        if found is None or found.id != mark.id:
            return
        [served] = self._home.read_hashes([keys.SERVICE.name], ["store_id"])
        if served and not gives_up_newer:
            raise MoveFailed(
                "Processes have served from the cluster since the move, and all that has changed there would be lost. "
                + LOSE_NEWER
            )
        if running := running_processes(self._target):
            raise MoveFailed(f"Stop these processes of the cluster first: {', '.join(running)}")
        self._empty_target(mark)
        self._home.execute_many([("UNLINK", keys.SERVICE.name)])
