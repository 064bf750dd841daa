import re

import pytest

from tools import ROOT
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.partition.client import PartitionClient
from turns.backend.partition.rendering import render_in_partition, render_plain
from turns.backend.script_loader import VERBS, read_source, render, render_constants
from turns.backend.script_runner import Script, run_script
from turns.backend.scripts import Scripts
from turns.config.settings import Settings

PLAIN = render_plain(VERBS, Settings())
PARTITIONED = render_in_partition(VERBS, Settings())
CODE = re.compile(r"--.*")
HAS_PARTS = "local function groups_of("  # only scripts with it read the `concurrency` of assistants


def code(text: str) -> str:
    return CODE.sub("", text)


@pytest.mark.parametrize("verb", VERBS)
def test_a_store_without_partitions_has_the_same_texts(verb: str) -> None:
    """Compare with the loader, which knows no partitions; `test_plain_names_are_literals` pins what it inserts."""
    assert PLAIN[verb] == render(verb, render_constants(Settings()))
    assert "KEYS" not in PLAIN[verb]


def test_plain_names_are_literals() -> None:
    constants = render_constants(Settings())
    names = {key.name for key in keys.CATALOGUE}
    assert {literal for name, literal in constants.items() if name.startswith("KEY.")} == {
        f"'{name}'" for name in names
    }


@pytest.mark.parametrize("verb", VERBS)
def test_no_key_of_a_partition_lacks_the_prefix(verb: str) -> None:
    text = code(PARTITIONED[verb])
    assert "KEY." not in text
    for key in keys.CATALOGUE:
        local = key.name.removeprefix("inturn:")
        plain = code(PLAIN[verb]).count(f"'{key.name}'")
        assert text.count(f"KEYS[1] .. '{local}'") == plain + (key is keys.ASSISTANT_SLOTS and HAS_PARTS in PLAIN[verb])
        assert not re.search(rf"(?<!KEYS\[1\] \.\. )'{re.escape(key.name)}'", text)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if HAS_PARTS in PLAIN[verb]])
def test_a_partition_has_a_part_of_a_concurrency(verb: str) -> None:
    text = PARTITIONED[verb]
    assert "partition_slots(was.assistant, was.concurrency)" in text
    assert text.index("local function partition_slots(") < text.index("local function groups_of(")
    assert len(re.findall(r">= math.floor\(max_slots\)", text)) == 2
    assert not re.search(r"tonumber\(was\.concurrency\)|>= max_slots", text)


@pytest.mark.parametrize("verb", VERBS)
def test_a_partition_publishes_in_its_slot(verb: str) -> None:
    assert not re.search(r"'(PUBLISH|NUMSUB|CHANNELS)'", PARTITIONED[verb])
    assert len(re.findall("'SPUBLISH'", PARTITIONED[verb])) == len(re.findall("'PUBLISH'", PLAIN[verb]))


def test_no_operator_binds_tighter_than_a_composed_name() -> None:
    sources = [code(path.read_text()) for path in (ROOT / "turns/backend/lua").rglob("*.lua")]
    assert not [text for text in sources if re.search(r"(#|not |[-*/%^] )KEY\.", text)]
    assert read_source("shared/finish")


class Recorder(Client):
    """Records commands instead of sending them."""

    def __init__(self) -> None:
        with connect("unix:///nowhere", timeout_seconds=1, retries=0, max_connections=1) as client:
            super().__init__(connection_pool=client.connection_pool)
        self.sent: list[tuple[object, ...]] = []

    def execute_command(self, *args: object, **_: object) -> list[bytes]:
        self.sent.append(args)
        return [b"LOST"]


def test_a_plain_script_declares_no_key() -> None:
    client = Recorder()
    run_script(client, Script.of("text"), "argument")
    assert client.sent == [("EVALSHA", Script.of("text").digest, 0, "argument")]


def test_every_script_of_a_partition_declares_two_keys() -> None:
    client = Recorder()
    Scripts(PartitionClient(client, count=24, number=7), Settings()).release("turn", token="t")
    digest = Script.of(PARTITIONED["release"]).digest
    assert client.sent == [("EVALSHA", digest, 2, "inturn:{07-12}:", "inturn:{07-12}:-", "turn", "t", "")]


def test_all_scripts_are_sent_by_one_function() -> None:
    """Except for the renewal in a real thread, which uses no client of redis-py."""
    sends = re.compile(r"\bevalsha\(|\beval\(|\"EVAL(SHA)?\"")
    modules = [path for room in ("turns", "web", "worker", "supervisor") for path in (ROOT / room).rglob("*.py")]
    senders = {path.name for path in modules if sends.search(path.read_text())}
    assert senders == {"script_runner.py", "unpatched.py", "unpatched_nodes.py"} | {
        "names.py",
        "slot_client.py",
    }  # these two pass scripts on
