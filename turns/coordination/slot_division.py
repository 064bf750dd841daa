"""Divide without I/O the `concurrency` of an assistant among the partitions of a Redis Cluster."""

from collections.abc import Mapping
from dataclasses import dataclass

# A slot stays in its partition while turns wait there and others have not waited longer by this time: a slot that moves
# is free for up to a second.
STAY_MS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """The slots of an assistant in one partition: `given` as stored, and how many of its turns have or need one."""

    given: str = ""
    used: int = 0
    waiting: int = 0
    waited_ms: int = 0
    concurrency: str = ""

    @property
    def needed(self) -> int:
        return self.used + self.waiting

    def slots(self, limit: int, count: int) -> int:
        """Return the present number of slots, as `partition_slots.lua` computes it."""
        slots, _, of = self.given.partition("|")
        return int(slots) if of and int(of) <= limit else limit // count

    def is_given_for(self, limit: int) -> bool:
        return self.given.endswith(f"|{limit}")


Views = Mapping[int, SlotView]


def find_limit(views: Views) -> int | None:
    """Return the `concurrency` of the turn that has waited longest; None if no turn waits."""
    waiting = [view for view in views.values() if view.concurrency]
    return int(max(waiting, key=lambda view: view.waited_ms).concurrency) if waiting else None


def divide(limit: int, views: Views) -> Mapping[int, int]:
    """Return the slots that each partition shall have, `limit` together; {} if no partition needs more than it has."""
    count = len(views)
    slots = {number: view.slots(limit, count) for number, view in views.items()}
    if all(view.needed <= slots[number] for number, view in views.items() if view.waiting):
        return {}
    needed = sum(view.needed for view in views.values())
    if needed <= limit:
        each, rest = divmod(limit - needed, count)
        return {number: view.needed + each + (place < rest) for place, (number, view) in enumerate(views.items())}
    parts = {number: limit * view.needed // needed for number, view in views.items()}

    def urgency(number: int) -> tuple[bool, int]:
        view = views[number]
        stays = slots[number] > parts[number] and view.waiting
        return view.needed > parts[number], view.waited_ms + (STAY_MS if stays else 0)

    for number in sorted(views, key=urgency, reverse=True)[: limit - sum(parts.values())]:
        parts[number] += 1
    return parts
