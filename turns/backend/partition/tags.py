"""The hash tags of the partitions. They are parts of key names, so they can never change."""

from functools import cache
from itertools import count

from redis.crc import key_slot

from turns.config.store_url import MAX_PARTITIONS

SLOTS = 16_384
HOME = 0  # the partition that also keeps what belongs to no session: API keys, pauses, jobs, the agreed settings


@cache
def hash_tags(partitions: int) -> tuple[str, ...]:
    """Return the tag of each partition, such as `07-12`; the slot of the n-th one is in the n-th part of all slots.

    So nodes that have equal ranges of slots, as `redis-cli --cluster` assigns them, have equally many partitions.
    """
    return tuple(_hash_tag(number, partitions) for number in range(partitions))


def _hash_tag(number: int, partitions: int) -> str:
    # The tag of the home partition is the same for every number of partitions, so that a process with another number
    # finds the number that the first process has recorded there.
    parts = MAX_PARTITIONS if number == HOME else partitions
    tags = (f"{number:02d}-{attempt}" for attempt in count())
    return next(tag for tag in tags if slot_of(f"{{{tag}}}") * parts // SLOTS == number)


def slot_of(key: str) -> int:
    """Return the hash slot of a key in a Redis Cluster."""
    return int(key_slot(key.encode()))
