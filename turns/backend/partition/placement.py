"""The partition in which a session, a turn or a tenant is."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Protocol, Self, TypeVar

from turns.backend.partition.tags import HOME
from turns.config.settings import Placement, Settings
from turns.domain.ids import partition_of, tenant_of

# A limit that all partitions share is a share of each. Sessions do not spread evenly, so the shares add up to more.
SHARE_MARGIN = 1.25


class OfSession(Protocol):
    @property
    def session(self) -> str: ...


Item = TypeVar("Item", bound=OfSession)


@dataclass(frozen=True, slots=True)
class Partitions:
    """The partitions of a store; their number and the placement can never change, because both determine names."""

    count: int
    placement: Placement = Placement.SESSION

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the partitions of the store that these settings name, which must be a Redis Cluster."""
        return cls(settings.partitions, settings.placement)

    def of_session(self, session: str) -> int:
        """Return the partition of a session key."""
        placed = tenant_of(session) if self.placement is Placement.TENANT else session
        return zlib.crc32(placed.encode()) % self.count

    def of_turn(self, turn_id: str) -> int:
        """Return the partition that the id names; the home partition for an id that no partition has made."""
        number = partition_of(turn_id)
        return number if number is not None and number < self.count else HOME

    def of_file(self, file_id: str) -> int:
        """Return the partition that has the record of a file with its bytes. An upload chooses its id by that."""
        return zlib.crc32(file_id.encode()) % self.count

    def of_tenant(self, tenant: str) -> int | None:
        """Return the partition of all sessions of a tenant; None if they are in many."""
        is_in_one = self.placement is Placement.TENANT or self.count == 1
        return zlib.crc32(tenant.encode()) % self.count if is_in_one else None

    def group(self, items: Iterable[Item]) -> dict[int, list[Item]]:
        """Return the items by the partition of their session, each group in the given order."""
        groups: dict[int, list[Item]] = {}
        for item in items:
            groups.setdefault(self.of_session(item.session), []).append(item)
        return groups


def partition_of_session(session: str, settings: Settings) -> int:
    """Return the partition of a session key; 0 in a store without partitions."""
    return Partitions.of(settings).of_session(session) if settings.partitions else HOME


def share_limits(settings: Settings, count: int) -> Settings:
    """Return the settings of one of these partitions: limits of all turns become its share of them."""
    names = ("max_live_turns", "batch_concurrency")
    return settings.model_copy(update={name: share_of(getattr(settings, name), count) for name in names})


def share_of(limit: int, count: int) -> int:
    """Return the share of one of these partitions of a limit."""
    return min(limit, ceil(limit / count * SHARE_MARGIN))
