"""Decide without I/O what the partitions of a Redis Cluster have to do about a model on hold."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from turns.backend.script_loader import FOLLOW_MS

FOLLOWED = "partition/"  # before the number of a partition, instead of the turn that probes
SLACK_MS = 1000  # between the clocks of two rounds


class Act(StrEnum):
    """What a partition does with its hold; a value is an argument of `share_hold.lua`."""

    FOLLOW = "follow"  # let turns wait, while another partition probes
    LEAD = "lead"  # probe
    REOPEN = "reopen"  # admit the turns that wait


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """The hold of a model in one partition; `follows` is the partition that probes, None if that is this one.

    `remaining_ms` until the next probe; `held` turns wait, the first one for `waited_ms`; `fields` are the stored ones.
    """

    remaining_ms: int
    held: int = 0
    waited_ms: int = 0
    is_probing: bool = False
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def follows(self) -> int | None:
        probe = self.fields.get("probe", "")
        return int(probe.removeprefix(FOLLOWED)) if probe.startswith(FOLLOWED) else None

    @property
    def is_answered(self) -> bool:
        """Whether the model has answered a probe, and the waiting turns are being admitted."""
        return "answered_at" in self.fields

    @property
    def can_probe(self) -> bool:
        return self.held > 0 or self.is_probing

    def is_led_by(self, leader: int, remaining_ms: int) -> bool:
        """Return whether it follows this partition, and its lease needs no extension."""
        left_ms = self.remaining_ms - max(0, remaining_ms)
        return self.follows == leader and not self.is_answered and FOLLOW_MS / 2 <= left_ms <= FOLLOW_MS + SLACK_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the partitions have to do while `leader` probes; `is_held` is false if the model is free in all of them.

    `remaining_ms` until the leader's next probe.
    """

    acts: Mapping[int, Act]
    leader: int = 0
    remaining_ms: int = 0
    is_held: bool = True


Views = Mapping[int, HoldView]


def agree(views: Mapping[int, HoldView | None]) -> Agreement:
    """Decide what the partitions have to do whose views these are; those that are away have none.

    One partition probes: the one that does so already, else one that has found out by itself. An answer frees the
    model everywhere, unless a partition has found out later that it is held, or its provider asked for more time.
    """
    found = {number: view for number, view in views.items() if view}
    held = {number: view for number, view in found.items() if not view.is_answered}
    leaders = {number: view for number, view in held.items() if view.follows is None}
    if not held or _is_over(views, found, held, leaders):
        return Agreement(acts=dict.fromkeys(held, Act.REOPEN), is_held=False)
    leader = _choose_leader(held, leaders)
    acts = {leader: Act.LEAD} if leader not in leaders else {}
    remaining_ms = _time_until_probe(held, leader)
    for number, view in views.items():
        if number != leader and not (view and view.is_led_by(leader, remaining_ms)):
            acts[number] = Act.FOLLOW
    return Agreement(acts=acts, leader=leader, remaining_ms=remaining_ms)


def _is_over(views: Mapping[int, HoldView | None], found: Views, held: Views, leaders: Views) -> bool:
    """Return whether the model has answered, or the partition that probes has ended its hold."""
    if any(view.is_answered for view in found.values()):
        return all(view.remaining_ms <= 0 for view in leaders.values())
    return not leaders and any(view.follows in views and view.follows not in held for view in held.values())


def _choose_leader(held: Views, leaders: Views) -> int:
    """Return the partition that probes. If its turns have all ended, one with turns takes over."""
    followers = Counter(view.follows for view in held.values())

    def suitability(number: int) -> tuple[bool, bool, int, int, int]:
        view = held[number]
        return view.can_probe, number in leaders, followers[number], view.waited_ms, -number

    return max(held, key=suitability)


def _time_until_probe(held: Views, leader: int) -> int:
    """Return the time of the leader's next probe; one that takes over has the time of the partition before it."""
    view = held[leader]
    before = held.get(leader if view.follows is None else view.follows, view)
    return min(view.remaining_ms, before.remaining_ms)
