"""The uses of keys, on a clock that the tests set."""

from tests.support.stub_client import StubClient
from turns.access.key_uses import RESOLUTION_SECONDS, KeyUses
from turns.backend import keys
from turns.backend.opening import connect


def test_a_key_is_written_once_a_minute() -> None:
    seconds, client = 1000.0, StubClient([1], [1])
    uses = KeyUses(client.as_client, clock=lambda: seconds)
    for key_id in ("a", "b", "a"):
        uses.record(key_id)
    uses.flush()
    seconds += RESOLUTION_SECONDS - 0.001
    uses.record("a")
    uses.flush()
    seconds += 0.001
    uses.record("a")
    uses.flush()
    written = [args[0] for _, args in client.commands]
    first, second = 1_000_000, 1_060_000
    assert written == [
        [("HSET", keys.KEY_USES.name, "a", first, "b", first)],
        [("HSET", keys.KEY_USES.name, "a", second)],
    ]


def test_a_store_that_is_away_stops_no_request() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_seconds=1, retries=0, max_connections=1)
    uses = KeyUses(client)
    uses.record("a")
    uses.flush()
    assert uses._pending == {}
