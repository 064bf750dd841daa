"""Read and write keys of any type in pages, with commands that every server and user of the service has.

`DUMP` and `RESTORE` would be fewer commands, but a server refuses the dump of a newer one, and a sorted set whose
entries go to several partitions must be read anyway.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.merging import to_entries

Item = tuple[Any, ...]  # of a hash: field, value; sorted set: member, score; stream: id, fields; others: the value
Command = list[Any]

KEYS_AT_ONCE = 200
ITEMS_AT_ONCE = 500  # of one key, so that a page of long messages is some megabytes
NO_EXPIRY = -1
PATTERNS = (f"{keys.PREFIX}inturn:*", f"{keys.HISTORY.name}*")
TYPES = MappingProxyType({"sorted set": "zset"})  # as a server calls it


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a key. `expires_at` is in ms, or -1."""

    name: str
    type: str
    expires_at: int
    items: Sequence[Item] = ()
    start: int = 0
    after: str = "-"  # in a stream

    @property
    def next(self) -> "Page | None":
        """The page to read after this one, without its items; None after the last one."""
        if self.type not in {"list", "zset", "stream"} or len(self.items) < ITEMS_AT_ONCE:
            return None
        after = f"({_text(self.items[-1][0])}" if self.type == "stream" else self.after
        return replace(self, items=(), start=self.start + ITEMS_AT_ONCE, after=after)


def scan_names(client: Client) -> Iterator[list[str]]:
    """Yield the names of all keys of the installation in one server or partition, each once, in batches."""
    seen: set[int] = set()  # a server may return a name twice; the hash of a name takes less memory than the name
    patterns = PATTERNS[:1] if client.declared_keys else PATTERNS  # in a partition all names begin alike
    for pattern in patterns:
        batch: list[str] = []
        for found in client.scan_iter(match=pattern, count=KEYS_AT_ONCE * 5):
            name = _text(found)
            if (mark := hash(name)) in seen:
                continue
            seen.add(mark)
            batch.append(name)
            if len(batch) == KEYS_AT_ONCE:
                yield batch
                batch = []
        if batch:
            yield batch


def read_types(client: Client, names: Sequence[str]) -> list[Page]:
    """Return a page without items for each of these keys that exists."""
    replies = client.execute_many([(verb, name) for name in names for verb in ("TYPE", "PEXPIRETIME")])
    found = zip(names, replies[::2], replies[1::2], strict=True)
    return [Page(name, _text(kind), expires_at) for name, kind, expires_at in found if _text(kind) != "none"]


def read_pages(client: Client, keys_to_read: Sequence[Page]) -> Iterator[list[Page]]:
    """Yield the next page of each key until all are read."""
    pending = list(keys_to_read)
    while pending:
        replies = client.execute_many([READ[page.type](page) for page in pending])
        read = [replace(page, items=_items(page.type, reply)) for page, reply in zip(pending, replies, strict=True)]
        yield read
        pending = [following for page in read if (following := page.next)]


def count_items(client: Client, found: Sequence[Page]) -> list[int]:
    """Return the number of items of each of these keys."""
    counted = client.execute_many([(COUNT[page.type], page.name) for page in found])
    return [1 if page.type == "string" else count for page, count in zip(found, counted, strict=True)]


def to_commands(page: Page) -> list[Command]:
    """Return the commands that append the items of this page to a key of the same name, with the same expiry."""
    commands = WRITE[page.type](page.name, page.items) if page.items else []
    return [*commands, ["PEXPIREAT", page.name, page.expires_at]] if page.expires_at != NO_EXPIRY else commands


def _items(kind: str, reply: Any) -> list[Item]:
    if kind == "hash":
        return list(reply.items())
    if kind == "zset":
        return list(to_entries(reply))
    if kind == "stream":
        return [tuple(entry) for entry in reply]
    if kind == "string":
        return [] if reply is None else [(reply,)]
    return [(item,) for item in reply]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _last(page: Page) -> int:
    return page.start + ITEMS_AT_ONCE - 1


READ: Mapping[str, Callable[[Page], Command]] = MappingProxyType(
    {
        "hash": lambda page: ["HGETALL", page.name],
        "list": lambda page: ["LRANGE", page.name, page.start, _last(page)],
        "set": lambda page: ["SMEMBERS", page.name],
        "stream": lambda page: ["XRANGE", page.name, page.after, "+", "COUNT", ITEMS_AT_ONCE],
        "string": lambda page: ["GET", page.name],
        "zset": lambda page: ["ZRANGE", page.name, page.start, _last(page), "WITHSCORES"],
    }
)
COUNT = MappingProxyType(
    {"hash": "HLEN", "list": "LLEN", "set": "SCARD", "stream": "XLEN", "string": "EXISTS", "zset": "ZCARD"}
)


def _in_parts(verb: str) -> Callable[[str, Sequence[Item]], list[Command]]:
    """Return a function that returns the commands with all items as arguments."""

    def to_parts(name: str, items: Sequence[Item]) -> list[Command]:
        starts = range(0, len(items), ITEMS_AT_ONCE)
        return [[verb, name, *chain(*items[start : start + ITEMS_AT_ONCE])] for start in starts]

    return to_parts


def _add_entries(name: str, items: Sequence[Item]) -> list[Command]:
    return [["XADD", name, entry, *chain(*fields.items())] for entry, fields in items]


def _add_scores(name: str, items: Sequence[Item]) -> list[Command]:
    return _in_parts("ZADD")(name, [(repr(score), member) for member, score in items])


WRITE: Mapping[str, Callable[[str, Sequence[Item]], list[Command]]] = MappingProxyType(
    {
        "hash": _in_parts("HSET"),
        "list": _in_parts("RPUSH"),
        "set": _in_parts("SADD"),
        "stream": _add_entries,
        "string": lambda name, items: [["SET", name, items[0][0]]],
        "zset": _add_scores,
    }
)
