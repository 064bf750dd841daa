"""Bring the pauses of a Redis Cluster from its home partition to all others, also to those that return later."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.placement import share_limits
from turns.backend.partition.tags import HOME
from turns.backend.script_replies import to_record
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.pauses.part import ServicePart
from turns.pauses.pause import Pause
from turns.pauses.scripts import PauseScripts

Terms = tuple[str, str, int | None]  # author, reason, and the time of the end (ms)
Pauses = Mapping[ServicePart, Terms]


class PauseSharing:
    """Every method raises `StoreUnavailable` if the home partition is away."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._others = range(HOME + 1, len(client.partitions))
        shared = share_limits(settings, len(client.partitions)) if self._others else settings
        self._scripts = [PauseScripts(partition, shared) for partition in client.partitions]

    @property
    def home(self) -> PauseScripts:
        """The scripts of the partition whose pauses the others get."""
        return self._scripts[HOME]

    def share(self) -> None:
        """Bring a change to all partitions. Those that are away are reported as missing, and get it later."""
        if self._others:
            self._mark(self._others)
            self._bring(self._others)

    def share_pending(self) -> None:
        """Bring the pauses to the partitions that were away, and are back."""
        pending = cast(set[bytes], self._client.home.smembers(keys.PAUSES_PENDING.name))
        if pending:
            self._bring(sorted(map(int, pending)))

    def _mark(self, numbers: Iterable[int]) -> None:
        self._client.home.sadd(keys.PAUSES_PENDING.name, *numbers)

    def _bring(self, numbers: Iterable[int]) -> None:
        """Bring the pauses to these partitions; once more if they are changed meanwhile.

        The mark is removed before they are compared, so that it stays if another process makes it later.
        """
        changed = self._read(self._client.home)
        pauses: Pauses | None = None
        while changed != pauses:
            if pauses is not None:
                self._mark(numbers)
            pauses = changed
            with suppress(StoreUnavailable):  # all of them are away
                reached = self._client.gather({number: partial(self._bring_to, number, pauses) for number in numbers})
                self._client.home.srem(keys.PAUSES_PENDING.name, *reached)
            changed = self._read(self._client.home)

    def _bring_to(self, number: int, pauses: Pauses) -> None:
        scripts, partition = self._scripts[number], self._client.partitions[number]
        now_ms = _now_ms(partition)
        for part in self._read(partition).keys() - pauses.keys():
            scripts.resume(str(part))
        for part, (by, reason, until) in pauses.items():
            seconds = None if until is None else max(0.001, (until - now_ms) / 1000)
            scripts.pause(str(part), by=by, reason=reason, seconds=seconds)

    def _read(self, partition: Client) -> Pauses:
        """Return the pauses of a partition that are not over."""
        now_ms = _now_ms(partition)
        service = to_record(cast(dict[bytes, bytes], partition.hgetall(keys.SERVICE.name)))
        found = {part: text for name, text in service.items() if (part := ServicePart.from_text(name))}
        pauses = {part: Pause.from_record(part, text, waiting_turns=0, now_ms=now_ms) for part, text in found.items()}
        return {part: (one.by, one.reason, one.until) for part, one in pauses.items() if not one.is_over}


def _now_ms(partition: Client) -> int:
    seconds, microseconds = partition.time()
    return seconds * 1000 + microseconds // 1000
