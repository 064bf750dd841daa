"""What servers do with a script while a slot moves key by key, and why each script declares two keys that never exist.

The scripts build the names of their keys themselves, so a server knows only the declared ones. While a slot moves, some
of its keys are on the source and the others on the target.
"""

from typing import Any

import pytest
from redis.exceptions import AskError, ResponseError, TryAgainError

from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.cluster.slot_moves import LegacyMove, other_primary

RECORD, QUEUE = "inturn:{s}:record", "inturn:{s}:queue"
NEVER_1, NEVER_2 = "inturn:{s}:", "inturn:{s}:-"
# Like a verb: it reads one key and writes another, and declares neither.
SCRIPT = """#!lua
local prefix = KEYS[1]
local record = redis.call('GET', prefix .. 'record')
redis.call('RPUSH', prefix .. 'queue', record or 'no such record')
return record or 'no such record'
"""


@pytest.fixture
def half_moved(cluster: ClusterNodes, source: Node, slot: int) -> Any:
    """Begin a move, after which the queue is on the target and the record still on the source."""
    source.raw.set(RECORD, "kept")
    source.raw.rpush(QUEUE, "first")
    move = LegacyMove(cluster, slot, other_primary(cluster, slot))
    move.move_keys(QUEUE)
    yield move
    move.finish()


def test_two_declared_keys_stop_a_script_on_both_nodes(half_moved: LegacyMove) -> None:
    with pytest.raises(AskError):
        half_moved.source.raw.eval(SCRIPT, 2, NEVER_1, NEVER_2)
    with pytest.raises(TryAgainError):
        _ask(half_moved.target, "EVAL", SCRIPT, 2, NEVER_1, NEVER_2)
    assert _ask(half_moved.target, "LRANGE", QUEUE, 0, -1) == [b"first"]
    assert half_moved.source.raw.get(RECORD) == b"kept"


def test_a_stopped_script_runs_after_the_move(half_moved: LegacyMove) -> None:
    half_moved.finish()
    assert half_moved.target.raw.eval(SCRIPT, 2, NEVER_1, NEVER_2) == b"kept"
    assert half_moved.target.raw.lrange(QUEUE, 0, -1) == [b"first", b"kept"]


def test_one_declared_key_lets_a_script_miss_a_record(half_moved: LegacyMove) -> None:
    """The harm that the second key prevents: a usual client follows ASK, and the target runs the script."""
    with pytest.raises(AskError):
        half_moved.source.raw.eval(SCRIPT, 1, NEVER_1)
    assert _ask(half_moved.target, "EVAL", SCRIPT, 1, NEVER_1) == b"no such record"
    assert _ask(half_moved.target, "LRANGE", QUEUE, 0, -1) == [b"first", b"no such record"]


def test_a_declared_key_that_exists_tears_a_script(half_moved: LegacyMove) -> None:
    """The source begins, and fails where the script touches a key that has moved."""
    text = SCRIPT.replace("local record", "redis.call('APPEND', KEYS[1], ' and changed')\nlocal record")
    with pytest.raises(ResponseError, match="non local key"):
        half_moved.source.raw.eval(text.replace("prefix = KEYS[1]", f"prefix = '{NEVER_1}'"), 1, RECORD)
    assert half_moved.source.raw.get(RECORD) == b"kept and changed"


def _ask(node: Node, *command: str | int) -> Any:
    """Send a command as clients do that follow ASK."""
    with node.raw.client() as one:
        one.execute_command("ASKING")
        return one.execute_command(*command)
