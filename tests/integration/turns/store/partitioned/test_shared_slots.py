"""The `concurrency` of an assistant in a cluster is that of all partitions together."""

from collections.abc import Callable
from typing import Any, cast

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
        self.client, self.settings, self.store, self._accept = client, settings, store, accept
        self.sharing = SlotSharing(client, settings)
        self.running: list[Claim] = []

    def ask(self, concurrency: int, sessions: range = range(SESSIONS)) -> str:
        """Submit a turn of each session, and return the id of the last one."""
        assistant = Assistant(name="local", model="m", concurrency=concurrency)
        turns = [self._accept(f"s-{n}", assistant=assistant) for n in sessions]
        self.take_hints()
        return turns[-1].id

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


def test_turns_from_before_a_raised_concurrency_start(scene: Scene) -> None:
    """Let other turns of the assistant, which may be more at once, run all the time."""
    scene.ask(2, range(20))
    while scene.do_round():
        pass
    assert waiting(scene, 2) == 18
    for n in range(20, 200):
        scene.ask(48, range(n, n + 1))
        scene.do_round()
        scene.end(scene.running[0])
        if not waiting(scene, 2):
            break
    assert waiting(scene, 2) == 0


def test_a_slot_of_a_lost_record_is_given_to_another_partition(scene: Scene) -> None:
    scene.ask(1, range(1))
    scene.do_round()
    [claim] = scene.running
    scene.client.partitions[scene.client.find_partition(claim.turn_id)].delete(keys.TURN(claim.turn_id))
    scene.ask(1, range(1, 2))
    scene.do_round()
    assert len(scene.running) == 2


def test_a_round_that_wakes_late_keeps_no_slot_too_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another worker give the slot to another partition between two steps of a round."""
    late = SlotSharing(scene.client, scene.settings)
    give = late._give
    scene.ask(1, range(1))
    scene.do_round()
    scene.end(scene.running[0])
    waiting_turn = scene.ask(1, range(1, 2))

    def give_late(*args: Any) -> None:
        scene.store.cancel(waiting_turn)
        scene.ask(1, range(2, 3))
        scene.do_round()
        assert len(scene.running) == 1
        give(*args)

    monkeypatch.setattr(late, "_give", give_late)
    late.share()
    views = late._read("local")
    assert sum(view.slots(1, 24) for view in views.values()) == 1


def waiting(scene: Scene, concurrency: int) -> int:
    """Return how many turns that were accepted with this `concurrency` wait for a slot."""
    turns = cast(list[bytes], scene.client.zrange(keys.SLOT_WAITERS("assistant:local"), 0, -1))
    limits = [scene.client.hget(keys.TURN(turn.decode()), "concurrency") for turn in turns]
    return limits.count(str(concurrency).encode())
