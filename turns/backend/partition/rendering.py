"""The texts of the scripts: those of `script_loader.py`, or those for a partition.

One text serves all partitions: it builds the names of keys on the prefix that each call declares as its first key.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import ceil

from turns.backend import keys
from turns.backend.partition.names import local_name
from turns.backend.script_loader import (
    ADMITTED_PER_POLL,
    insert_constants,
    read_source,
    render,
    render_constants,
)
from turns.config.settings import Settings

# A message in a sharded channel stays at the node of its slot; one in a plain channel would go to all nodes.
SHARDED = {"'PUBLISH'": "'SPUBLISH'", "'NUMSUB'": "'SHARDNUMSUB'"}
PLAIN_COMMAND = re.compile("|".join(SHARDED))

# A partition has a part of the `concurrency` of an assistant, which can be none of its slots.
SLOTS = "partition_slots"
PARTS = {
    "tonumber(was.concurrency)": f"{SLOTS}(was.assistant, was.concurrency)",
    ">= max_slots": ">= math.floor(max_slots)",
}


def render_plain(verbs: Iterable[str], settings: Settings) -> dict[str, str]:
    """Return the texts of these scripts for a store without partitions."""
    constants = render_constants(settings)
    return {verb: render(verb, constants) for verb in verbs}


def render_in_partition(verbs: Iterable[str], settings: Settings) -> dict[str, str]:
    """Return the texts of these scripts for any partition; a call must declare the two keys of its partition."""
    admitted = {"POLICY.admitted_per_poll": str(ceil(ADMITTED_PER_POLL / max(1, settings.partitions)))}
    constants = {**render_constants(settings), **admitted, **_names()}
    return _render_in_partition(tuple(verbs), tuple(constants.items()))


@lru_cache(maxsize=16)  # the partitions of a process have the same texts; rendering all takes 20 ms
def _render_in_partition(verbs: tuple[str, ...], constants: tuple[tuple[str, str], ...]) -> dict[str, str]:
    shared = insert_constants(read_source(f"shared/{SLOTS}"), dict(constants))
    texts = {verb: _with_parts(render(verb, dict(constants)), shared) for verb in verbs}
    return {verb: PLAIN_COMMAND.sub(lambda found: SHARDED[found[0]], text) for verb, text in texts.items()}


def _with_parts(text: str, shared: str) -> str:
    """Return the text of a script; one that dispatches turns reads the partition's part of a `concurrency`."""
    shebang, _, body = text.partition("\n")
    if not all(limit in body for limit in PARTS):
        return text
    for limit, part in PARTS.items():
        body = body.replace(limit, part)
    return "\n".join([shebang, shared, body])


def _names() -> Mapping[str, str]:
    """Return the Lua expression of each name; `..` binds tighter than all operators around the names but `#`.

    A local variable for the prefix would be slower: each function that uses it costs Lua a search among the variables
    that other functions use, 2 % of a turn in the store.
    """
    return {f"KEY.{name}": f"KEYS[1] .. '{local_name(key.name)}'" for name, key in keys.BY_NAME.items()}
