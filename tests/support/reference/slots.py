"""A small pure model of slots: groups with a limit, and the turns that wait for each of them in order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

ALL = "loop"  # all dispatched turns, which are only counted
LOST = "losses:1"  # the turns that have lost a worker, which run one at a time
TENANT = "tenant:-"  # the turns of the tenant, which are only counted while it has a limit
PER_FREE = 9  # slots of a model for each free one, as with 90 percent


@dataclass
class ReferenceSlots:
    capacity: int
    tenant_slots: int = 0  # 0: the tenant has no limit
    holders: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    waiters: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))  # since when
    crowded: set[str] = field(default_factory=set)  # the groups to check

    def waiting(self, group: str) -> list[str]:
        """Return the turns that wait for a slot of the group, in order."""
        return sorted(self.waiters[group], key=lambda turn_id: (self.waiters[group][turn_id], turn_id))

    def acquire(self, turn_id: str, groups: Sequence[str], *, since: int, goes_first: bool) -> str | None:
        """Acquire a slot in each group, or wait for the first one that is full and return it."""
        groups = [group for group in groups if group != TENANT or self.tenant_slots]
        for position, group in enumerate(groups):
            if group != ALL and self._is_full(group, turn_id, goes_first=goes_first):
                self.waiters[group].setdefault(turn_id, since)
                self.crowded.add(group)
                for earlier in groups[:position]:
                    self.waiters[earlier].pop(turn_id, None)
                return group
        for group in groups:
            self.holders[group].add(turn_id)
            self.waiters[group].pop(turn_id, None)
        return None

    def leave(self, turn_id: str, groups: Sequence[str]) -> None:
        for group in groups:
            self.holders[group].discard(turn_id)
            self.waiters[group].pop(turn_id, None)

    def holds(self, turn_id: str) -> bool:
        """Return whether a turn that lost a worker has a slot of such turns, and of its tenant if that has a limit."""
        return turn_id in self.holders[LOST] and (not self.tenant_slots or turn_id in self.holders[TENANT])

    def _is_full(self, group: str, turn_id: str, *, goes_first: bool) -> bool:
        if turn_id in self.holders[group]:
            return False
        free = self.capacity - len(self.holders[ALL]) - 1
        max_slots = {LOST: 1, TENANT: self.tenant_slots}.get(group, max(1, PER_FREE * free))
        is_first = self.waiting(group)[:1] in ([], [turn_id])
        return len(self.holders[group]) >= max_slots or not (is_first or goes_first)
