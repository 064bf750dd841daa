"""A process of the move may be killed between any two commands."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.turns.move.conftest import NewMover, Scene
from turns.backend.client import Client
from turns.backend.installation import check_agreement
from turns.backend.partition.move_mark import FIELD, MoveMark, read_mark, write_mark
from turns.domain.state import Status
from turns.move import copier, mover, reading
from turns.move.reading import read_pages, read_types, scan_names
from turns.pauses.part import INTAKE

OF_THE_MOVE = {FIELD.encode(), str(INTAKE).encode()}  # the mark, and the index entry of the pause, have random values


class Killed(BaseException):
    """The process of the move ends between two commands."""


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], Callable[[], int]]:
    """Return a function that lets this many commands through; it returns a function that counts them."""
    sent = 0
    limit: int | None = None

    def counted(method: Any) -> Any:
        def send(client: Client, *args: Any, **options: Any) -> Any:
            nonlocal sent
            if type(client) is Client:  # the one that has the connection
                sent += 1
                if limit is not None and sent > limit:
                    raise Killed
            return method(client, *args, **options)

        return send

    for name in ("execute_command", "execute_many", "read_hashes"):
        monkeypatch.setattr(Client, name, counted(getattr(Client, name)))

    def kill_after(commands: int | None) -> Callable[[], int]:
        nonlocal sent, limit
        sent, limit = 0, commands
        return lambda: sent

    return kill_after


def test_a_move_that_is_killed_anywhere_can_be_repeated(
    scene: Scene,
    target: Client,
    new_mover: NewMover,
    kill_after: Callable[[int | None], Callable[[], int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "KEYS_AT_ONCE", 10)  # so that the copy has many steps
    monkeypatch.setattr(copier, "ITEMS_AT_ONCE", 10)
    count = kill_after(None)
    new_mover().move(wait_seconds=0)
    steps, expected = count(), content(target)
    assert expected
    new_mover().go_back(gives_up_newer=False)
    assert content(target) == {}
    killed = 0
    for step in range(0, steps, steps // 10):
        kill_after(step)
        try:
            new_mover().move(wait_seconds=0)
        except Killed:
            killed += 1
        kill_after(None)
        new_mover().move(wait_seconds=0)
        assert content(target) == expected, f"killed after {step} of {steps} commands"
        new_mover().go_back(gives_up_newer=False)
    assert killed >= 9
    check_agreement(scene.client, scene.settings)


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_at_no_moment_both_stores_are_served(
    scene: Scene, target: Client, new_mover: NewMover, monkeypatch: pytest.MonkeyPatch, *, number: int, is_written: bool
) -> None:
    written = 0

    def write_mark_or_die(client: Client, mark: MoveMark) -> None:
        nonlocal written
        written += 1
        if written < number or is_written:
            write_mark(client, mark)
        if written == number:
            raise Killed

    monkeypatch.setattr(mover, "write_mark", write_mark_or_die)
    with pytest.raises(Killed):
        new_mover().move(wait_seconds=0)
    is_complete = (number, is_written) == (3, True)
    assert _is_served(target.partitions[0]) is (number == 1 or is_complete)  # at first it is empty
    assert _is_served(scene.client) is ((number, is_written) == (1, False))
    monkeypatch.undo()
    assert (new_mover().move(wait_seconds=0) is None) is (number == 3 or (number, is_written) == (2, True))
    assert _is_served(target.partitions[0])
    assert not _is_served(scene.client)


def content(target: Client) -> dict[tuple[int, str], Any]:
    """Return all keys of all partitions with type, expiry and items, without what is random in a move."""
    found: dict[tuple[int, str], Any] = {}
    for number, one in enumerate(target.partitions):
        for names in scan_names(one):
            for pages in read_pages(one, read_types(one, names)):
                for page in pages:
                    items = [item for item in page.items if item[0] not in OF_THE_MOVE]
                    found[number, page.name] = (page.type, page.expires_at, sorted(items, key=repr))
    return found


def _is_served(client: Client) -> bool:
    mark = read_mark(client)
    return mark is None or mark.problem is None


def test_going_back_can_be_killed_anywhere_too(
    scene: Scene, target: Client, new_mover: NewMover, kill_after: Callable[[int | None], Callable[[], int]]
) -> None:
    new_mover().move(wait_seconds=0)
    step, killed = 0, True
    while killed:
        kill_after(step)
        try:
            new_mover().go_back(gives_up_newer=False)
            killed = False
        except Killed:
            step += 1
    kill_after(None)
    assert step > 5
    assert content(target) == {}
    check_agreement(scene.client, scene.settings)
    assert scene.accept("s").status is Status.QUEUED
