"""The rows of the table: which faults happen, to how many turns of which chains."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.chaos.driver import PACE, Load

PER_SECOND = 25.0
SECONDS_PER_KILL = 3.0
SESSIONS = 50
CHAINS = """\
[assistants.example]
system = "You're an assistant who's good at {ability}. Respond in 20 words or fewer"

[assistants.example.variables.ability]
max_length = 100

[assistants.threaded]
chain = "tests.chaos.chains:build"
runs_in = "thread"
total_seconds = 20

[assistants.forked]
chain = "tests.chaos.chains:build"
runs_in = "process"
total_seconds = 20
"""
# One in eight sessions has a chain in a thread, and one a chain in a process of its own. A crash in a thread would end
# its worker; `three turns that kill their workers` shows that.
CUSTOM_CHAINS = (
    Load(assistant="threaded", misbehaviour=("", "[block 1]", "", "", "[hang 60]")),
    Load(assistant="forked", misbehaviour=("[crash now]", "", "[block 1]", "", "[hang 60]")),
    *[Load()] * 6,
)


@dataclass(frozen=True)
class Row:
    """A run. `faults`: how often each fault happens, by the name of its method in `Nemesis` or `ClusterNemesis`.

    The loads are distributed evenly among the sessions.
    """

    faults: Counter[str]
    turns: int = 700
    pace: str = PACE
    in_files: bool = False
    chains: str = ""
    loads: tuple[Load, ...] = field(default=(Load(),))
    is_cluster: bool = False
    has_edits: bool = False  # conversations that regenerate, edit and fork instead of the loads

    def scaled(self, factor: float) -> "Row":
        """Return the row with that part of its turns and faults, at least one of each kind."""
        faults = Counter({name: max(1, round(count * factor)) for name, count in self.faults.items()})
        return replace(self, faults=faults, turns=round(self.turns * factor))


def kills_every_3_s(turns: int, pace: str) -> Row:
    return Row(Counter(kill_worker=int(turns / PER_SECOND / SECONDS_PER_KILL)), turns, pace)


ROWS: Mapping[str, Row] = {
    "50 kills of workers": Row(Counter(kill_worker=50), turns=5000),
    "frozen workers (zombies)": Row(Counter(freeze_worker=5)),
    "anything frozen for 1 to 20 s": Row(Counter(freeze_web=3, freeze_worker_briefly=4, freeze_store=3), turns=2500),
    "store killed": Row(Counter(kill_store=10)),
    "broker queue lost": Row(Counter(lose_hints=20)),
    "hints times five, and forged": Row(Counter(multiply_hints=20, forge_hints=10)),
    "scripts flushed, connections cut": Row(Counter(flush_scripts=20, cut_connections=10)),
    "endpoint killed": Row(Counter(kill_web=10)),
    "provider down for 60 s": Row(Counter(stop_provider=1), turns=1500),
    "all of these at once": Row(
        Counter(
            kill_worker=10,
            freeze_worker=1,
            kill_store=3,
            kill_web=3,
            lose_hints=3,
            multiply_hints=3,
            forge_hints=3,
            flush_scripts=3,
            cut_connections=3,
        )
    ),
    "a kill every 3 s, turns of 1 s": kills_every_3_s(3000, "[words 10] [pace 0.1]"),
    "a kill every 3 s, turns of 3 s": kills_every_3_s(3000, "[words 10] [pace 0.3]"),
    "three turns that kill their workers": Row(Counter(poison_turn=3), turns=1000),
    "a quarter custom chains": Row(Counter(kill_worker=10), turns=1000, chains=CHAINS, loads=CUSTOM_CHAINS),
    "histories as files": Row(Counter(kill_worker=10, freeze_worker=3, kill_store=3, kill_web=3), in_files=True),
    "regenerate, edit, fork": Row(
        Counter(kill_worker=15, kill_web=3, kill_store=2, lose_hints=2), turns=2200, has_edits=True
    ),
    "cluster: 10 kills of primaries": Row(Counter(kill_primary=10), turns=1000, is_cluster=True),
    "cluster: 20 moves of partitions": Row(Counter(move_partition=10, move_partition_at_once=10), is_cluster=True),
}
