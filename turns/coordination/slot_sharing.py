"""Bring the slots of assistants with a `concurrency` to the partitions in which turns wait for them."""

from collections.abc import Mapping
from functools import partial
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.coordination.scripts import SlotScripts
from turns.coordination.slot_division import SlotView, divide, find_limit

GROUP = "assistant:"  # before the name of an assistant in the name of its group, as `slots.lua` composes it


class SlotSharing:
    """Every method raises `StoreUnavailable` if all partitions are away."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._scripts = [SlotScripts(partition, settings) for partition in client.partitions]

    def share(self) -> None:
        """Do one round for each assistant whose turns wait. One worker at a time may do so.

        While a partition is away, its slots are not known, so that no other one gets more.
        """
        for assistant in self._find_crowded():
            views = self._read(assistant)
            limit = find_limit(views)
            if limit is not None and len(views) == len(self._scripts):
                self._divide(assistant, limit, views)

    def _divide(self, assistant: str, limit: int, views: Mapping[int, SlotView]) -> None:
        """Take slots first, and then give as many as no turn occupies any more, to the longest wait first.

        Each partition learns the limit, so that no part of another one counts again later.
        """
        if not (targets := divide(limit, views)):
            return
        slots = {number: views[number].slots(limit, len(views)) for number in targets}
        present = {number: min(targets[number], slots[number]) for number in targets}
        taken: dict[int, int | None] = {}
        for number, view in views.items():
            if targets[number] < slots[number] or not view.is_given_for(limit):
                taken[number] = self._set(number, assistant, limit, given=view.given, slots=present[number])
        if None in taken.values():
            return
        used = {number: taken.get(number) or views[number].used for number in targets}
        free = limit - sum(max(present[number], used[number]) for number in targets)
        raised: dict[int, int] = {}
        for number in sorted(targets, key=lambda number: -views[number].waited_ms):
            more = min(targets[number] - present[number], free)
            if more > 0:
                free -= more
                raised[number] = present[number] + more
        self._give(assistant, limit, present, raised)

    def _give(self, assistant: str, limit: int, present: Mapping[int, int], raised: Mapping[int, int]) -> None:
        """Give slots, and take them back if a round that has overlapped with this one has given the same."""
        for number, slots in raised.items():
            self._set(number, assistant, limit, given=f"{present[number]}|{limit}", slots=slots)
        views = self._read(assistant) if raised else {}
        if sum(view.slots(limit, len(views)) for view in views.values()) > limit:
            for number, slots in raised.items():
                self._set(number, assistant, limit, given=f"{slots}|{limit}", slots=present[number])

    def _set(self, number: int, assistant: str, limit: int, *, given: str, slots: int) -> int | None:
        return self._scripts[number].set_slots(assistant, given=given, slots=slots, concurrency=limit)

    def _find_crowded(self) -> list[str]:
        """Return the assistants for whose slots turns wait."""
        groups = cast(list[bytes], self._client.zrange(keys.CROWDED.name, 0, -1))
        names = sorted(group.decode() for group in groups)
        return [name.removeprefix(GROUP) for name in names if name.startswith(GROUP)]

    def _read(self, assistant: str) -> Mapping[int, SlotView]:
        return self._client.gather({n: partial(_view, scripts, assistant) for n, scripts in enumerate(self._scripts)})


def _view(scripts: SlotScripts, assistant: str) -> SlotView:
    given, used, waiting, waited_ms, concurrency = scripts.get_slots(assistant)
    return SlotView(given=given, used=used, waiting=waiting, waited_ms=waited_ms, concurrency=concurrency)
