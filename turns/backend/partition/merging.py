"""Merge the replies that all partitions give to a command that reads a key of which each of them has a part."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from turns.backend import keys

Reply = Any
Fields = dict[bytes, bytes]
Entry = tuple[bytes, float]  # a member of a sorted set, and its score

# Fields of the service that each partition has of its own; all others are those of the home partition.
LIVE, COMPLETED = b"live", b"completed_at:"
NOTED_AT = b"noted_at"  # in a snapshot of counters


@dataclass(frozen=True, slots=True)
class Range:
    """The members that a ZRANGE command or one of its older forms reads: `first` to `last`, of all or by score."""

    key: str
    bounds: tuple[Any, ...]  # lowest and highest score in the order of the command; empty: by rank
    first: int
    last: int | None  # None: to the end
    is_reversed: bool
    has_scores: bool

    @property
    def command(self) -> list[Any]:
        """Return the command that reads all members up to the last one, with their scores."""
        reverse = ["REV"] if self.is_reversed else []
        if not self.bounds:
            return ["ZRANGE", self.key, 0, -1 if self.last is None else self.last, *reverse, "WITHSCORES"]
        limit = [] if self.last is None else ["LIMIT", 0, self.last + 1]
        return ["ZRANGE", self.key, *self.bounds, "BYSCORE", *reverse, *limit, "WITHSCORES"]

    def merge(self, replies: Iterable[Reply]) -> list[Entry]:
        """Return the members that were asked for, with their scores."""
        scores: dict[bytes, float] = {}
        for member, score in (entry for reply in replies for entry in to_entries(reply)):
            scores[member] = max(score, scores.get(member, score))  # a name that several partitions have
        merged = sorted(scores.items(), key=lambda entry: (entry[1], entry[0]), reverse=self.is_reversed)
        return merged[self.first : None if self.last is None else self.last + 1]


def parse_range(command: Sequence[Any]) -> Range | None:
    """Return the range that a command reads; None for any other command."""
    verb, *rest = command
    if verb not in {"ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE"}:
        return None
    key, low, high, *options = rest
    words = [option.upper() if isinstance(option, str) else option for option in options]
    found = Range(key, (), int_or(low), None, verb.startswith("ZREV") or "REV" in words, "WITHSCORES" in words)
    if verb.endswith("BYSCORE") or "BYSCORE" in words:
        offset, count = _limit(words)
        return replace(found, bounds=(low, high), first=offset, last=None if count < 0 else offset + count - 1)
    return replace(found, last=None if int(high) < 0 else int(high))


def int_or(value: Any) -> int:
    """Return the rank; 0 for the bound of a score."""
    return value if isinstance(value, int) else 0


def _limit(words: Sequence[Any]) -> tuple[int, int]:
    for name in ("LIMIT", b"LIMIT"):
        if name in words:
            at = words.index(name)
            return int(words[at + 1]), int(words[at + 2])
    return 0, -1


def to_entries(reply: Reply) -> list[Entry]:
    """Return the entries of a reply with scores: pairs, or a flat list with the older protocol RESP2."""
    pairs = reply if reply and isinstance(reply[0], Sequence) and not isinstance(reply[0], bytes) else None
    found = pairs if pairs is not None else zip(reply[::2], reply[1::2], strict=True)
    return [(member, float(score)) for member, score in found]


def merge_replies(command: Sequence[Any], replies: Sequence[Reply]) -> Reply:
    """Return the reply of the whole store; the first one is that of the home partition."""
    verb, key = command[0], command[1]
    if key == keys.SERVICE.name:
        return _merge_service(command, replies)
    if verb == "HGETALL":
        return next((merge for name, merge in HASHES.items() if key.startswith(name)), _first)(replies)
    if verb in SUMMED:
        return sum(replies)
    return MERGES.get(verb, _first)(replies)


def _merge_service(command: Sequence[Any], replies: Sequence[Reply]) -> Reply:
    verb, _, *fields = command
    if verb == "HGET":
        return _sum_of(replies) if _is_live(fields[0]) else replies[0]
    if verb == "HMGET":
        columns = zip(fields, *replies, strict=True)
        return [_sum_of(values) if _is_live(name) else values[0] for name, *values in columns]
    if verb != "HGETALL":
        return replies[0]
    latest: dict[bytes, bytes] = {}
    for reply in replies:
        for name, value in reply.items():
            if name.startswith(COMPLETED):
                latest[name] = max(value, latest.get(name, b"0"), key=int)
    return {**replies[0], **latest, LIVE: _sum_of([reply.get(LIVE) for reply in replies])}


def _is_live(name: str | bytes) -> bool:
    return name in {LIVE, LIVE.decode()}


def _sum_of(values: Sequence[bytes | None]) -> bytes:
    return str(sum(int(value or 0) for value in values)).encode()


def _first(replies: Sequence[Reply]) -> Reply:
    """Return the first reply that has a value."""
    has_value = (any(reply) if isinstance(reply, list) else reply for reply in replies)
    return next((reply for reply, has in zip(replies, has_value, strict=True) if has), replies[0])


def _sum_numbers(replies: Sequence[Reply]) -> Reply:
    found = [reply for reply in replies if reply is not None]
    return _sum_of(found) if found else None


def _merge_hashes(replies: Sequence[Fields], add: Callable[[bytes, bytes], bytes]) -> Fields:
    merged: Fields = {}
    for reply in replies:
        for name, value in reply.items():
            merged[name] = add(merged[name], value) if name in merged else value
    return merged


def _add_numbers(replies: Sequence[Fields]) -> Fields:
    return _merge_hashes(replies, lambda one, other: str(int(one) + int(other)).encode())


def _add_sums(replies: Sequence[Fields]) -> Fields:
    """Add numbers that are joined by `|`."""

    def add(one: bytes, other: bytes) -> bytes:
        parts = zip(one.split(b"|"), other.split(b"|"), strict=True)
        return b"|".join(str(int(first) + int(second)).encode() for first, second in parts)

    return _merge_hashes(replies, add)


def _join_streaks(replies: Sequence[Fields]) -> Fields:
    """Join the failures of a model: `<first (ms)>|<last (ms)>|<number>|<last code>`."""

    def join(one: bytes, other: bytes) -> bytes:
        streaks = [streak.split(b"|") for streak in (one, other)]
        first, last = min(int(streak[0]) for streak in streaks), max(streaks, key=lambda streak: int(streak[1]))
        number = sum(int(streak[2]) for streak in streaks)
        return b"%d|%b|%d|%b" % (first, last[1], number, last[3])

    return _merge_hashes(replies, join)


def _choose_hold(replies: Sequence[Fields]) -> Fields:
    """Return the hold of the partition that probes the model; an answer counts only if no partition holds it."""

    def rank(hold: Fields) -> tuple[bool, bool]:
        return b"answered_at" in hold, hold.get(b"probe", b"").startswith(b"partition/")

    return min(filter(None, replies), key=rank, default={})


def _merge_streams(replies: Sequence[Sequence[tuple[bytes, Fields]]]) -> list[tuple[bytes, Fields]]:
    """Add the counters of entries with the same place in their streams: those of the same minute."""
    entries = [[reply[n] for reply in replies if n < len(reply)] for n in range(max(map(len, replies)))]
    return [(same[0][0], _add_counters([fields for _, fields in same])) for same in entries]


def _add_counters(snapshots: Sequence[Fields]) -> Fields:
    """Add the counters of snapshots, of which each also has the time at which it was taken."""
    return {**_add_numbers(snapshots), NOTED_AT: snapshots[0].get(NOTED_AT, b"0")}


def _join(replies: Sequence[list[Any]]) -> list[Any]:
    return [item for reply in replies for item in reply]


HASHES: MappingProxyType[str, Callable[[Sequence[Fields]], Fields]] = MappingProxyType(
    {
        keys.METRICS.name: _add_numbers,
        keys.FAILING.name: _join_streaks,
        keys.HOLD.name: _choose_hold,
        keys.USAGE.name: _add_sums,
        keys.USER_USAGE.name: _add_sums,
    }
)
SUMMED = frozenset({"ZCARD", "SCARD", "LLEN", "HLEN", "ZCOUNT", "ZREM", "EXISTS", "UNLINK", "DEL"})
MERGES: MappingProxyType[str, Callable[[Sequence[Reply]], Reply]] = MappingProxyType(
    {
        "GET": _sum_numbers,
        "XRANGE": _merge_streams,
        "PUBSUB CHANNELS": _join,
        "HKEYS": _join,
    }
)
