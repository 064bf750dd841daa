"""The partitions of the items of a key, as its rule says."""

from collections.abc import Iterable, Sequence

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import HOME
from turns.move.reading import Item, Page
from turns.move.rules import By, Split, Whole

MAX_KNOWN = 200_000  # turns whose partition is remembered; the others are read again


class Placer:
    """Knows the session of each turn in the source, from its record."""

    def __init__(self, source: Client, partitions: Partitions) -> None:
        self._source = source
        self._partitions = partitions
        self._known: dict[str, int] = {}
        self._delayed: set[str] = set()

    def learn_turns(self, turn_ids: Iterable[str]) -> None:
        """Read the partitions of these turns. A turn without a record has none."""
        unknown = sorted(set(turn_ids) - self._known.keys())
        if len(self._known) + len(unknown) > MAX_KNOWN:
            self._known.clear()
            self._delayed.clear()
            unknown = sorted(set(turn_ids))
        records = self._source.read_hashes([keys.TURN(turn_id) for turn_id in unknown], ["session", "retry_at"])
        for turn_id, record in zip(unknown, records, strict=True):
            if session := record.get("session"):
                self._known[turn_id] = self._partitions.of_session(session)
            if "retry_at" in record:
                self._delayed.add(turn_id)

    def is_delayed(self, turn_id: str) -> bool:
        """Return whether the turn waits for the time of its next attempt; `learn_turns` must know it."""
        return turn_id in self._delayed

    def find(self, by: By, text: str) -> Sequence[int]:
        """Return the partitions for this id; `learn_turns` must know a turn."""
        match by:
            case By.TURN:
                number = self._known.get(text)
            case By.SESSION:
                number = self._partitions.of_session(text)
            case By.FILE:
                number = self._partitions.of_file(text)
            case By.HOLDER:
                kind, _, name = text.partition("/")
                number = self._known.get(name) if kind == "t" else self._partitions.of_session(name)
            case By.TENANT:
                number = self._partitions.of_tenant(text)
            case By.HOME:
                number = HOME
            case By.ALL:
                return range(self._partitions.count)
        return () if number is None else (number,)


def id_of_key(rule: Whole, member: str, page: Page) -> str:
    """Return the id that determines the partition of a whole key; "" if a hash has no such field."""
    if not rule.field:
        return rule.cut(member)
    return next((_text(value) for name, value in page.items if _text(name) == rule.field), "")


def id_of_item(rule: Split, item: Item) -> str:
    return rule.cut(_text(item[0]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
