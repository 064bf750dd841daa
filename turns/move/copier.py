"""Copy all keys of one server into the partitions of a cluster, each by its rule. Nothing else may write to either."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.keys import Key
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import HOME
from turns.backend.record import to_turn_record
from turns.backend.script_replies import to_record
from turns.domain.state import Status
from turns.move.lent_files import LentFiles
from turns.move.placing import Placer, id_of_item, id_of_key
from turns.move.reading import (
    NO_EXPIRY,
    READ,
    TYPES,
    Command,
    Item,
    Page,
    read_pages,
    read_types,
    scan_names,
    to_commands,
)
from turns.move.rules import EACH_FIELD, LEFT_FIELDS, RULES, By, Left, Split, Whole, declaration_of
from turns.pauses.part import ServicePart

REPORT_SECONDS = 5.0
ITEMS_AT_ONCE = 5_000  # in one pipeline to each partition
ANOTHER_TYPE = "the value of another program"
UNKNOWN = "this release has no such keys"
OTHER_KEYS = "other keys"
NO_RECORD = "its turn has no record"
NO_LIMITS = "tenants have no limits if sessions are not placed by tenant"
LIVE = frozenset(status for status in Status if not status.is_terminal)


@dataclass(slots=True)
class Copied:
    """Numbers of items by the name of their declaration: read and written, and not moved with the reason.

    Keys that expire before `cutoff` (ms) are copied and not counted, because they may be gone when others count.
    """

    cutoff: int
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)

    def counts(self, page: Page) -> bool:
        return page.expires_at == NO_EXPIRY or page.expires_at > self.cutoff


@dataclass(frozen=True, slots=True)
class _Part:
    """A page of a key with its declaration and the member of its family."""

    key: Key
    member: str
    rule: Whole | Split
    page: Page


class Copier:
    def __init__(
        self, source: Client, target: Client, partitions: Partitions, *, cutoff: int, report: Callable[[str], None]
    ) -> None:
        self._source = source
        self._target = target.partitions
        self._partitions = partitions
        self._report = report
        self._placer = Placer(source, partitions)
        self._live: Counter[int] = Counter()  # by partition
        self._limited: Counter[int] = Counter()  # tenants with own limits, by partition
        self._definitions: dict[str, Counter[int]] = defaultdict(Counter)  # live turns of a version, by partition
        self._files = LentFiles(source, partitions)
        self._copied = Copied(cutoff)
        self._pending: dict[int, list[Command]] = defaultdict(list)
        self._pending_items = 0

    def copy(self, *, without_part: str) -> Copied:
        """Copy everything but the pause of this part. A second call with an empty target has the same result."""
        done, reported_at = 0, time.monotonic()
        for names in scan_names(self._source):
            self._copy_batch(names)
            done += len(names)
            if time.monotonic() - reported_at > REPORT_SECONDS:
                self._report(f"{done} keys so far")
                reported_at = time.monotonic()
        self._write_definitions()
        for number, command in self._files.sizes():
            self._pending[number].append(command)
        self._write_service(without_part)
        self._flush()
        return self._copied

    def _copy_batch(self, names: Sequence[str]) -> None:
        wanted: dict[str, tuple[Key, str, Whole | Split]] = {}
        pages: list[Page] = []
        for page in read_types(self._source, names):
            found = declaration_of(page.name)
            if reason := _reason_to_leave(page, found):
                self._copied.left[found[0].name if found else OTHER_KEYS, reason] += 1
            elif found and isinstance(rule := RULES[found[0]], Whole | Split):
                wanted[page.name] = (*found, rule)
                pages.append(page)
        for read in read_pages(self._source, pages):
            self._copy_parts([_Part(*wanted[page.name], page) for page in read])

    def _copy_parts(self, parts: Sequence[_Part]) -> None:
        self._placer.learn_turns(turn_id for part in parts for turn_id in _turns_of(part))
        borrowers: dict[str, list[int]] = defaultdict(list)
        for part in parts:
            if self._copied.counts(part.page):
                self._copied.read[part.key.name] += len(part.page.items)
            for numbers, items, lost in self._divide(part):
                self._write(part, numbers, items)
                if lost:
                    self._copied.left[part.key.name, lost] += len(items)
                if part.key is keys.FILE_HOLDERS:
                    borrowers[part.member] += numbers
            if part.key is keys.TURN:
                self._count_live(part)
            if part.key is keys.FILE:
                self._files.add_size(part.member, to_record(dict(part.page.items)))
        self._write_loans(borrowers)
        if self._pending_items > ITEMS_AT_ONCE:
            self._flush()

    def _divide(self, part: _Part) -> Iterator[tuple[Sequence[int], Sequence[Item], str]]:
        """Yield items with their partitions, or with the reason for which they have none."""
        rule, groups = part.rule, defaultdict[tuple[int, ...], list[Item]](list)
        lost = NO_LIMITS if rule.by is By.TENANT else NO_RECORD
        if isinstance(rule, Whole):
            numbers = self._placer.find(rule.by, id_of_key(rule, part.member, part.page))
            groups[(*numbers,)] = [*part.page.items]
        else:
            for item in part.page.items:
                groups[(*self._placer.find(rule.by, id_of_item(rule, item)),)].append(item)
        for numbers, items in groups.items():
            yield numbers, items, "" if numbers else lost

    def _write(self, part: _Part, numbers: Sequence[int], items: Sequence[Item]) -> None:
        commands = to_commands(replace(part.page, items=self._wake(items) if part.key is keys.DUE else items))
        for number in numbers:
            self._pending[number] += commands
            self._pending_items += len(items)
            if self._copied.counts(part.page):
                self._copied.written[part.key.name] += len(items)
            if part.key is keys.LIMITED:
                self._limited[number] += len(items)

    def _wake(self, items: Sequence[Item]) -> list[Item]:
        """Let `rescue` look at once at each head that need not wait, because hints are not moved."""
        return [(turn, score if self._placer.is_delayed(turn.decode()) else 0.0) for turn, score in items]

    def _count_live(self, part: _Part) -> None:
        record = to_turn_record(dict(part.page.items))
        for number in self._placer.find(By.TURN, part.member):
            if record.get("status") in LIVE:
                self._live[number] += 1
                if digest := record.get("definition"):
                    self._definitions[digest][number] += 1

    def _write_loans(self, borrowers: Mapping[str, Sequence[int]]) -> None:
        for number, key, items, command in self._files.loans(borrowers):
            self._pending[number].append(command)
            self._pending_items += items
            if isinstance(RULES[key], Whole | Split):
                self._copied.written[key.name] += items

    def _write_definitions(self) -> None:
        """Copy the versions that live turns need to the partitions of these turns."""
        found = self._source.read_hashes([keys.DEFINITION(digest) for digest in self._definitions], ["definition"])
        for (digest, counts), fields in zip(self._definitions.items(), found, strict=True):
            for number, live in counts.items():
                values = [part for pair in fields.items() for part in pair]
                self._pending[number].append(["HSET", keys.DEFINITION(digest), "live", live, *values])

    def _write_service(self, without_part: str) -> None:
        record = to_record(self._source.execute_command("HGETALL", keys.SERVICE.name))
        kept = {name: text for name, text in record.items() if name not in {*LEFT_FIELDS, without_part}}
        for_each = {name: text for name, text in kept.items() if name in EACH_FIELD or ServicePart.from_text(name)}
        for number in range(self._partitions.count):
            fields = {"live": self._live[number], **(kept if number == HOME else for_each)}
            if self._limited[number]:
                fields["own_limits"] = self._limited[number]
            self._pending[number].append(
                ["HSET", keys.SERVICE.name, *(part for pair in fields.items() for part in pair)]
            )

    def _flush(self) -> None:
        for number, commands in self._pending.items():
            self._target[number].execute_many(commands)
        self._pending.clear()
        self._pending_items = 0


def _reason_to_leave(page: Page, found: tuple[Key, str] | None) -> str | None:
    """Return why a key is not moved; None if it is moved or composed anew."""
    if found is None:
        return UNKNOWN
    key, _ = found
    rule = RULES[key]
    if isinstance(rule, Left):
        return rule.reason
    known = READ if key.type == "any" else {TYPES.get(key.type, key.type)}
    return None if page.type in known else ANOTHER_TYPE


def _turns_of(part: _Part) -> Iterable[str]:
    """Return the turns whose partition the rule asks for."""
    rule = part.rule
    if isinstance(rule, Whole):
        return (id_of_key(rule, part.member, part.page),) if rule.by is By.TURN else ()
    ids = (id_of_item(rule, item) for item in part.page.items)
    if rule.by is By.HOLDER:
        return (holder.removeprefix("t/") for holder in ids if holder.startswith("t/"))
    return ids if rule.by is By.TURN else ()
