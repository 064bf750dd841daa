"""Find the partition of a turn, also of one that was accepted before its store was moved into the cluster."""

from collections.abc import Sequence
from functools import partial

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.each import attempt_each
from turns.backend.partition.move_mark import FIELD
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import HOME
from turns.domain.errors import StoreUnavailable
from turns.domain.ids import partition_of

MAX_KNOWN = 10_000  # about two megabytes; live turns are asked for again and again, ended ones seldom


class TurnFinder:
    """Remembers where the last turns were found, because a session never changes its partition."""

    def __init__(self, clients: Sequence[Client]) -> None:
        """`clients` are those of all partitions, the home partition first."""
        self._clients = clients
        self._partitions = Partitions(len(clients))
        self._known: dict[str, int] = {}

    def find_partition(self, turn_id: str) -> int:
        """Return the number of the partition of a valid turn id; that of the home partition for an unknown turn.

        The id names it, unless it was made in a store without partitions. Then all partitions are asked, and
        `StoreUnavailable` is raised if one that is away may have the turn.
        """
        if partition_of(turn_id) is not None:
            return self._partitions.of_turn(turn_id)
        if (known := self._known.get(turn_id)) is not None:
            return known
        if not self._may_have_moved_turns():
            return HOME
        number = self._ask_all(turn_id)
        if number is None:
            return HOME
        while len(self._known) >= MAX_KNOWN:
            self._known.pop(next(iter(self._known)), None)
        self._known[turn_id] = number
        return number

    def _may_have_moved_turns(self) -> bool:
        """Return whether turns were ever moved into this cluster, or true if its home partition is away."""
        try:
            return bool(self._clients[HOME].execute_command("HEXISTS", keys.SERVICE.name, FIELD))
        except StoreUnavailable:
            return True

    def _ask_all(self, turn_id: str) -> int | None:
        """Return the partition that has the turn, or the trace of its deletion; None if no partition has it."""
        wanted = ("EXISTS", keys.TURN(turn_id), keys.DELETED(turn_id))
        found = attempt_each([partial(one.execute_command, *wanted) for one in self._clients])
        away = [reply for reply in found if isinstance(reply, StoreUnavailable)]
        number = next((n for n, reply in enumerate(found) if not isinstance(reply, StoreUnavailable) and reply), None)
        if number is None and away:
            raise away[0]
        return number
