from typing import Any

import pytest

from turns.backend import keys
from turns.backend.partition.merging import merge_replies, parse_range

PARTS = [[b"a", 1.0, b"d", 4.0], [[b"b", 2.0], [b"c", 3.0]], []]  # both protocols of the store


@pytest.mark.parametrize(
    ("command", "sent", "expected"),
    [
        (("ZRANGE", "k", 0, 1), ["ZRANGE", "k", 0, 1, "WITHSCORES"], b"ab"),
        (("ZRANGE", "k", 1, -1), ["ZRANGE", "k", 0, -1, "WITHSCORES"], b"bcd"),
        (("ZRANGE", "k", 0, 1, "REV"), ["ZRANGE", "k", 0, 1, "REV", "WITHSCORES"], b"dc"),
        (("ZREVRANGE", "k", 1, 2), ["ZRANGE", "k", 0, 2, "REV", "WITHSCORES"], b"cb"),
        (
            ("ZRANGE", "k", "+inf", 0, "BYSCORE", "REV", "LIMIT", 1, 2, "WITHSCORES"),
            ["ZRANGE", "k", "+inf", 0, "BYSCORE", "REV", "LIMIT", 0, 3, "WITHSCORES"],
            b"cb",
        ),
        (
            ("ZREVRANGEBYSCORE", "k", "+inf", "-inf", "LIMIT", 0, 9),
            ["ZRANGE", "k", "+inf", "-inf", "BYSCORE", "REV", "LIMIT", 0, 9, "WITHSCORES"],
            b"dcba",
        ),
        (("ZRANGEBYSCORE", "k", 1, "+inf"), ["ZRANGE", "k", 1, "+inf", "BYSCORE", "WITHSCORES"], b"abcd"),
    ],
)
def test_ranges_are_merged_by_score(command: tuple[Any, ...], sent: list[Any], expected: bytes) -> None:
    wanted = parse_range(command)
    assert wanted
    assert wanted.command == sent
    assert b"".join(member for member, _ in wanted.merge(PARTS)) == expected


def test_a_name_that_several_partitions_have_is_listed_once() -> None:
    wanted = parse_range(("ZRANGE", "k", 0, -1))
    assert wanted
    assert wanted.merge([[b"m", 1.0], [b"m", 5.0]]) == [(b"m", 5.0)]


@pytest.mark.parametrize(
    ("command", "replies", "expected"),
    [
        (("ZCARD", "k"), [1, 2, 0], 3),
        (("ZSCORE", "k", "m"), [None, 2.0], 2.0),
        (("ZRANK", "k", "m"), [None, None], None),
        (("GET", "k"), [b"2", None, b"3"], b"5"),
        (("GET", "k"), [None, None], None),
        (("HMGET", "k", "a"), [[None], [b"x"]], [b"x"]),
        (("HGETALL", keys.HOLD("m")), [{}, {b"since": b"1"}, {b"since": b"2"}], {b"since": b"1"}),
        (("HGETALL", keys.METRICS.name), [{b"a": b"1"}, {b"a": b"2", b"b": b"1"}], {b"a": b"3", b"b": b"1"}),
        (("HGETALL", keys.USAGE("1")), [{b"r": b"1|2"}, {b"r": b"10|20"}], {b"r": b"11|22"}),
        (("HGETALL", keys.FAILING.name), [{b"m": b"5|9|3|x"}, {b"m": b"4|6|2|y"}], {b"m": b"4|9|5|x"}),
        (("HGET", keys.SERVICE.name, "live"), [b"1", None, b"2"], b"3"),
        (("HGET", keys.SERVICE.name, "locked"), [b"1", None], b"1"),
        (("HMGET", keys.SERVICE.name, "live", "hint"), [[b"1", b"h"], [b"2", None]], [b"3", b"h"]),
        (
            ("HGETALL", keys.SERVICE.name),
            [{b"live": b"1", b"intake": b"p", b"completed_at:m": b"9"}, {b"intake": b"q", b"completed_at:m": b"10"}],
            {b"live": b"1", b"intake": b"p", b"completed_at:m": b"10"},
        ),
        (
            ("XRANGE", keys.COUNTER_SNAPSHOTS.name, "-", "+"),
            [[(b"1-0", {b"a": b"1", b"noted_at": b"7"})], [(b"1-0", {b"a": b"2", b"noted_at": b"8"})], []],
            [(b"1-0", {b"a": b"3", b"noted_at": b"7"})],
        ),
        (("PUBSUB CHANNELS", "p"), [[b"a"], [], [b"b"]], [b"a", b"b"]),
    ],
)
def test_replies_are_merged_by_what_they_mean(command: tuple[Any, ...], replies: list[Any], expected: Any) -> None:
    assert merge_replies(command, replies) == expected
