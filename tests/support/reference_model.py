"""A small pure model of the store, with which `test_interleavings.py` compares the real one."""

from dataclasses import dataclass, field

from turns.domain.state import Event, Status, advance

MAX_LOSSES = 3
LOSSES_DELAYED = 2  # from this number of lost workers on, a turn waits before it runs again
COHORTS = (1,)  # all turns that have lost a worker run one at a time, so that few steps lead there


@dataclass
class ReferenceTurn:
    session: str
    status: Status = Status.QUEUED
    attempt: int = 1
    losses: int = 0
    is_delayed: bool = False
    worker: str = ""
    token: str | None = None  # the fencing token that may write
    superseded: bool = False
    erased: bool = False


@dataclass
class ReferenceModel:
    turns: dict[str, ReferenceTurn] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)  # turns that may run one at a time; the first one has the slot
    queues: dict[str, list[str]] = field(default_factory=dict)
    histories: dict[str, list[str]] = field(default_factory=dict)  # ids of committed turns, after the name of an import

    def accept(self, turn_id: str, session: str) -> None:
        self.turns[turn_id] = ReferenceTurn(session)
        self.queues.setdefault(session, []).append(turn_id)

    def is_head(self, turn_id: str) -> bool:
        return self.queues[self.turns[turn_id].session][:1] == [turn_id]

    def can_claim(self, turn_id: str) -> bool:
        turn = self.turns[turn_id]
        has_slot = turn.losses == 0 or self.alone[:1] == [turn_id]
        return turn.status is Status.QUEUED and self.is_head(turn_id) and has_slot and not turn.is_delayed

    def claim(self, turn_id: str, token: str, worker: str) -> None:
        self._step(turn_id, Event.CLAIM)
        self.turns[turn_id].token, self.turns[turn_id].worker = token, worker

    def holds(self, turn_id: str, token: str) -> bool:
        turn = self.turns[turn_id]
        return turn.status is Status.IN_PROGRESS and turn.token == token

    def commit(self, turn_id: str) -> None:
        self.histories.setdefault(self.turns[turn_id].session, []).append(turn_id)
        self._step(turn_id, Event.COMMIT)

    def interrupt(self, turn_id: str) -> None:
        self.histories.setdefault(self.turns[turn_id].session, []).append(turn_id)
        self._step(turn_id, Event.INTERRUPT)

    def clear_session(self, session: str, *, keep_running: bool) -> None:
        """Cancel the live turns of a session for a newer turn with `interrupt` or `rollback`."""
        for turn_id in list(self.queues.get(session, [])):
            if keep_running and self.turns[turn_id].status is Status.IN_PROGRESS:
                self.turns[turn_id].superseded = True
            else:
                self._step(turn_id, Event.CANCEL)

    def release(self, turn_id: str) -> None:
        self._step(turn_id, Event.RELEASE)
        self.turns[turn_id].token = None

    def fail(self, turn_id: str) -> None:
        self._step(turn_id, Event.FAIL)

    def erase(self, session: str) -> None:
        self.clear_session(session, keep_running=False)
        self.histories.pop(session, None)
        for turn in self.turns.values():
            turn.erased = turn.erased or turn.session == session

    def import_messages(self, session: str, name: str) -> str:
        """Import messages, for which `name` stands, and return the result in words."""
        history = self.histories.get(session, [])
        if history[:1] == [name]:
            return "replayed"
        if history:
            return "not empty"
        if self.queues.get(session):
            return "busy"
        self.histories[session] = [name]
        return "imported"

    def cancel(self, turn_id: str) -> None:
        if not self.turns[turn_id].status.is_terminal:
            self._step(turn_id, Event.CANCEL)

    def expire_lease(self, turn_id: str) -> None:
        """Rescue a turn whose lease has expired, or dispatch a head that is due."""
        turn = self.turns[turn_id]
        if turn.status is Status.IN_PROGRESS:
            self._lose_run(turn_id)
        else:
            turn.is_delayed = False
            self._dispatch(turn_id)

    def lose_worker(self, worker: str) -> set[str]:
        """Rescue the turns of a dead worker and return them."""
        running = {id for id, turn in self.turns.items() if turn.status is Status.IN_PROGRESS and turn.worker == worker}
        for turn_id in running:
            self._lose_run(turn_id)
        return running

    def heads(self) -> set[str]:
        return {queue[0] for queue in self.queues.values() if queue}

    def _lose_run(self, turn_id: str) -> None:
        turn = self.turns[turn_id]
        turn.losses += 1
        if turn.losses >= MAX_LOSSES:
            return self._step(turn_id, Event.LOSE)
        self._step(turn_id, Event.RESCUE)
        turn.token = None
        self._leave(turn_id)
        turn.is_delayed = turn.losses >= LOSSES_DELAYED
        return None if turn.is_delayed else self._dispatch(turn_id)

    def _dispatch(self, turn_id: str) -> None:
        if self.turns[turn_id].losses > 0 and turn_id not in self.alone:
            self.alone.append(turn_id)

    def _leave(self, turn_id: str) -> None:
        self.alone = [other for other in self.alone if other != turn_id]

    def _step(self, turn_id: str, event: Event) -> None:
        turn = self.turns[turn_id]
        turn.status = advance(turn.status, event)
        if turn.status.is_terminal:
            self.queues[turn.session].remove(turn_id)
            self._leave(turn_id)
