import pytest

from turns.backend import keys
from turns.backend.partition.names import PartitionNames
from turns.backend.partition.tags import slot_of

NAMES = PartitionNames("07-12")


def test_the_names_of_a_partition_are_pinned() -> None:
    assert NAMES.stored(keys.TURN("t")) == "inturn:{07-12}:turn:t"
    assert NAMES.stored(keys.HISTORY("s")) == "inturn:{07-12}:message_store:s"
    assert NAMES.declared == ("inturn:{07-12}:", "inturn:{07-12}:-")


@pytest.mark.parametrize("key", keys.CATALOGUE, ids=lambda key: key.name)
def test_every_name_is_in_the_slot_and_reversible(key: keys.Key) -> None:
    stored = NAMES.stored(key("member{x}"))
    assert slot_of(stored) == slot_of("{07-12}")
    assert NAMES.plain(stored) == key("member{x}")
    assert stored not in NAMES.declared


@pytest.mark.parametrize(
    ("command", "renamed"),
    [
        (("HGET", "inturn:service", "inturn:service"), ["HGET", "inturn:{07-12}:service", "inturn:service"]),
        (("RENAME", "inturn:due", "inturn:held:x"), ["RENAME", "inturn:{07-12}:due", "inturn:{07-12}:held:x"]),
        (("PUBSUB CHANNELS", "inturn:live:*"), ["PUBSUB SHARDCHANNELS", "inturn:{07-12}:live:*"]),
        (("TIME",), ["TIME"]),
        (("INFO", "memory"), ["INFO", "memory"]),
        (("SCAN", 0, b"MATCH", "inturn:queue:*"), ["SCAN", 0, b"MATCH", "inturn:{07-12}:queue:*"]),
        (("EVALSHA", "sha", 2, *NAMES.declared, "inturn:a"), ["EVALSHA", "sha", 2, *NAMES.declared, "inturn:a"]),
    ],
)
def test_the_keys_of_a_command_are_renamed(command: tuple[str | int, ...], renamed: list[str | int]) -> None:
    assert NAMES.rename(command) == renamed


@pytest.mark.parametrize("declared", [(), NAMES.declared[:1], ("inturn:due", "inturn:service")])
def test_a_script_that_declares_other_keys_is_refused(declared: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="must declare the two keys"):
        NAMES.rename(("EVALSHA", "sha", len(declared), *declared, "argument"))


def test_a_key_of_another_program_is_refused() -> None:
    with pytest.raises(ValueError, match="'other' does not begin"):
        NAMES.rename(("GET", "other:key"))
