"""The `concurrency` of an assistant in a cluster is that of all partitions together."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.coordination.slot_sharing import SlotSharing
from turns.domain.assistant import Assistant
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.partitioned.turns import PartitionedTurnStore

SESSIONS = 60
Accept = Callable[..., Turn]


class Scene:
    """Turns of an assistant with a `concurrency`; a worker takes each hint, and claims its turn."""

    def __init__(self, client: Client, settings: Settings, store: PartitionedTurnStore, accept: Accept) -> None:
        self.client, self.store, self._accept = client, store, accept
        self.sharing = SlotSharing(client, settings)
        self.running: list[Claim] = []

    def ask(self, concurrency: int, sessions: range = range(SESSIONS)) -> None:
        assistant = Assistant(name="local", model="m", concurrency=concurrency)
        for n in sessions:
            self._accept(f"s-{n}", assistant=assistant)
        self.take_hints()

    def take_hints(self) -> list[Claim]:
        """Claim the turns whose hints have been sent, and return them."""
        taken = []
        for partition in self.client.partitions:
            while hint := partition.lpop(keys.HINTS.name):
                claim = self.store.claim(hint.decode(), worker="w", model="m")  # type: ignore[union-attr]
                taken += [claim] if claim else []
        self.running += taken
        return taken

    def do_round(self) -> list[Claim]:
        self.sharing.share()
        return self.take_hints()

    def end(self, claim: Claim) -> None:
        self.running.remove(claim)
        self.store.commit(claim, answer_to(claim), tail="")
        self.take_hints()


@pytest.fixture
def scene(client: Client, settings: Settings, store: PartitionedTurnStore, accept: Accept) -> Scene:
    store.rescue(worker="host:1:a", hint="turn_" + "0" * 32, slots=200)
    return Scene(client, settings, store, accept)


@pytest.mark.parametrize("concurrency", [1, 4, 24, 30])
def test_no_more_turns_run_at_once_than_one_server_allows(scene: Scene, concurrency: int) -> None:
    scene.ask(concurrency)
    ended, most = 0, len(scene.running)
    for _ in range(20 * SESSIONS):
        scene.do_round()
        most = max(most, len(scene.running))
        if scene.running:
            scene.end(scene.running[0])
            ended += 1
        if ended == SESSIONS:
            break
    assert (ended, most) == (SESSIONS, concurrency)


def test_a_single_turn_gets_a_slot_in_any_partition(scene: Scene) -> None:
    for n in range(30):
        scene.ask(1, range(n, n + 1))
        scene.do_round()
        [claim] = scene.running
        scene.end(claim)


def test_equal_parts_need_no_round(scene: Scene) -> None:
    scene.ask(24, range(1))
    assert len(scene.running) == 1


def test_slots_that_turns_occupy_are_not_given_away(scene: Scene) -> None:
    scene.ask(4)
    while scene.do_round():
        pass
    assert len(scene.running) == 4
    scene.end(scene.running[0])
    scene.do_round()
    assert len(scene.running) == 4


def test_a_lowered_concurrency_takes_effect(scene: Scene) -> None:
    scene.ask(8, range(8))
    while scene.do_round():
        pass
    before = [*scene.running]
    assert len(before) == 8
    scene.ask(2, range(8, 20))
    for claim in before[2:]:
        scene.end(claim)
        scene.do_round()
    assert scene.running == before[:2]
    scene.end(before[0])
    assert len(scene.do_round()) == 1


def test_a_partition_that_changed_meanwhile_gives_no_slot_twice(scene: Scene) -> None:
    """Let two workers do the same round at the same time: the second one finds other slots than it has read."""
    scene.ask(4)
    views = scene.sharing._read("local")
    for _ in range(2):
        scene.sharing._divide("local", 4, views)
    scene.take_hints()
    assert len(scene.running) == 4
