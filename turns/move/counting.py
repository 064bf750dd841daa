"""Count what is in a server or in a partition, to compare it with what was copied."""

from collections import Counter
from collections.abc import Iterable

from turns.backend.client import Client
from turns.move.copier import Copied
from turns.move.reading import TYPES, count_items, read_types, scan_names
from turns.move.rules import RULES, Split, Whole, declaration_of


def count_moved(client: Client, copied: Copied) -> Counter[str]:
    """Return the number of items of each declaration that is moved as it is, in all partitions of this client."""
    counted: Counter[str] = Counter()
    for one in client.partitions:
        for names in scan_names(one):
            declared = {name: key for name in names if (key := _moved_key(name))}
            pages = [
                page
                for page in read_types(one, list(declared))
                if copied.counts(page) and declared[page.name][1] in {page.type, "any"}
            ]
            for page, count in zip(pages, count_items(one, pages), strict=True):
                counted[declared[page.name][0]] += count
    return counted


def _moved_key(name: str) -> tuple[str, str] | None:
    """Return the name and the type of the declaration; None if the key is not moved as it is."""
    found = declaration_of(name)
    if found is None or not isinstance(RULES[found[0]], Whole | Split):
        return None
    key = found[0]
    return key.name, TYPES.get(key.type, key.type)


def differences(expected: Counter[str], found: Counter[str]) -> Iterable[str]:
    """Yield a line for each declaration whose numbers differ."""
    for name in sorted({*expected, *found}):
        if expected[name] != found[name]:
            yield f"{name}: {found[name]} instead of {expected[name]}"
