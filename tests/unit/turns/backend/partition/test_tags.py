"""Tags are parts of key names, so these lists can never change."""

import pytest

from turns.backend.partition.tags import SLOTS, hash_tags, slot_of
from turns.config.store_url import MAX_PARTITIONS

TAGS_OF_24 = (
    *("00-236", "01-11", "02-43", "03-22", "04-23", "05-20", "06-103", "07-12", "08-1", "09-43", "10-20", "11-3"),
    *("12-18", "13-17", "14-2", "15-73", "16-0", "17-13", "18-0", "19-43", "20-20", "21-41", "22-1", "23-21"),
)


def test_the_tags_of_24_partitions_are_pinned() -> None:
    assert hash_tags(24) == TAGS_OF_24


@pytest.mark.parametrize("count", [1, 3, 24, MAX_PARTITIONS])
def test_each_tag_is_in_its_part_of_the_slots(count: int) -> None:
    parts = [slot_of(f"{{{tag}}}") * count // SLOTS for tag in hash_tags(count)]
    assert parts == list(range(count))


def test_home_has_the_same_tag_for_every_number() -> None:
    assert {hash_tags(count)[0] for count in (1, 2, 3, 5, 12, 24, 48, MAX_PARTITIONS)} == {"00-236"}


@pytest.mark.parametrize("primaries", [2, 3, 4, 6, 8, 12])
def test_primaries_with_equal_ranges_have_equally_many(primaries: int) -> None:
    owners = [slot_of(f"{{{tag}}}") * primaries // SLOTS for tag in hash_tags(24)]
    assert {owners.count(primary) for primary in range(primaries)} == {24 // primaries}
