"""The reference model: sessions, turns, files, slots, holds and pauses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.support.reference.files import ReferenceFiles
from tests.support.reference.histories import ReferenceHistories
from tests.support.reference.slots import ALL, TENANT, ReferenceSlots
from tests.support.reference.turn import ReferenceHold, ReferencePause, ReferenceTurn, ReferenceUsage
from turns.domain.state import Event, Status, advance

MAX_LOSSES = 3
LOSSES_DELAYED = 2  # from this number of lost workers on, a turn waits before it runs again
COHORTS = (1,)  # all turns that have lost a worker run one at a time, so that few steps lead there
CAPACITY = 3  # of which one model uses two, and each model at least one
ADMITTED_PER_ANSWER = 2
MAX_PASSED = 3  # turns of a group that have to wait for another one


@dataclass
class ReferenceModel:
    now: int = 0
    turns: dict[str, ReferenceTurn] = field(default_factory=dict)
    slots: ReferenceSlots = field(default_factory=lambda: ReferenceSlots(CAPACITY))
    holds: dict[str, ReferenceHold] = field(default_factory=dict)
    pauses: dict[str, ReferencePause] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=dict)
    files: ReferenceFiles = field(default_factory=ReferenceFiles)
    usage: ReferenceUsage = field(default_factory=ReferenceUsage)

    def __post_init__(self) -> None:
        self.histories = ReferenceHistories(self.turns, self.queues, self.files)

    def accept(self, turn_id: str, session: str, model: str, *, files: Sequence[str] = ()) -> None:
        self.turns[turn_id] = ReferenceTurn(session, model, accepted_at=self.now)
        self.files.accept(turn_id, files)
        self.queues.setdefault(session, []).append(turn_id)
        if self.is_head(turn_id):
            self._dispatch(turn_id)

    def stop(self, turn_id: str) -> None:
        """Cancel a turn but keep its partial answer, if it runs."""
        if self.turns[turn_id].status is Status.IN_PROGRESS:
            self.turns[turn_id].superseded = True
        else:
            self.cancel(turn_id)

    def is_head(self, turn_id: str) -> bool:
        return self.queues[self.turns[turn_id].session][:1] == [turn_id]

    def claim(self, turn_id: str, worker: str) -> bool:
        """Return whether the worker gets the turn; a turn whose model is held waits for it."""
        turn = self.turns[turn_id]
        has_slot = turn.losses == 0 or self.slots.holds(turn_id)
        if turn.status is not Status.QUEUED or not self.is_head(turn_id) or not has_slot or turn.is_delayed:
            return False
        if turn.replaces and self.histories.check_last(turn.replaces) != "last":
            self._end(turn_id, Event.FAIL)
            return False
        if part := self._find_pause(turn_id):
            self._pause_turn(turn_id, part)
            return False
        turn.paused_by = None
        may_call, is_probe = self._pass_hold(turn)
        if not may_call:
            self._hold_turn(turn_id)
            return False
        if is_probe:
            self.holds[turn.model].probe = turn_id
        is_free = turn.model not in self.holds or (turn.admitted_by != turn.model and not is_probe)
        turn.admitted_by = None if is_free else turn.model
        turn.held_by = turn.waits_since = None
        turn.is_resumed = False
        turn.worker = worker
        turn.status = advance(turn.status, Event.CLAIM)
        return True

    def holds_lease(self, turn_id: str, token: str) -> bool:
        turn = self.turns[turn_id]
        return turn.status is Status.IN_PROGRESS and turn.token == token

    def commit(self, turn_id: str, drawn: Sequence[str] = ()) -> None:
        self.histories.write(turn_id, drawn)
        self._end(turn_id, Event.COMMIT)
        self._confirm_answer(self.turns[turn_id].admitted_by)

    def interrupt(self, turn_id: str, *, has_text: bool = True) -> None:
        if has_text:
            self.histories.write(turn_id)
        self._end(turn_id, Event.INTERRUPT)

    def clear_session(self, session: str, *, keep_running: bool) -> None:
        """Cancel the live turns of a session for a newer turn with `interrupt` or `rollback`."""
        for turn_id in reversed(list(self.queues.get(session, []))):
            if keep_running and self.turns[turn_id].status is Status.IN_PROGRESS:
                self.turns[turn_id].superseded = True
            else:
                self._end(turn_id, Event.CANCEL)

    def release(self, turn_id: str) -> None:
        self._requeue(turn_id, Event.RELEASE)
        self._dispatch(turn_id)

    def fail(self, turn_id: str) -> None:
        turn = self.turns[turn_id]
        admitted_by, turn.admitted_by = turn.admitted_by, None
        self._confirm_answer(admitted_by)  # an error is an answer
        self._end(turn_id, Event.FAIL)

    def pause_model(self, turn_id: str) -> None:
        """Let the provider ask the running turn for a pause."""
        turn = self.turns[turn_id]
        hold = self.holds.get(turn.model)
        if hold is None:
            self.holds[turn.model] = ReferenceHold()
        elif hold.is_over and turn.admitted_by == turn.model:
            self.holds[turn.model] = ReferenceHold(step=hold.step + 1)
        turn.retried_token = turn.token
        self._requeue(turn_id, Event.RETRY)
        self._hold_turn(turn_id)

    def end_pause(self, model: str) -> None:
        """Let the time of a hold pass and a worker check it."""
        hold, held = self.holds[model], self.held(model)
        hold.is_over = True
        if not held:
            del self.holds[model]
        elif hold.is_answered:
            self._admit(held, model)
        elif not self._is_probing(model, hold):
            hold.probe = held[hold.step % len(held)]
            self._admit([hold.probe], model)

    def lift_hold(self, model: str) -> None:
        self._reopen(model, len(self.turns))

    def confirm_first_text(self, turn_id: str) -> None:
        turn = self.turns[turn_id]
        if turn.admitted_by in self.holds and not turn.erased:
            admitted_by, turn.admitted_by = turn.admitted_by, None
            self._confirm_answer(admitted_by)

    def held(self, model: str) -> list[str]:
        """Return the turns that wait for a model, in order."""
        held = [(turn.held_at, turn_id) for turn_id, turn in self.turns.items() if turn.held_by == model]
        return [turn_id for _, turn_id in sorted(held)]

    def erase(self, session: str) -> None:
        self.clear_session(session, keep_running=False)
        self.histories.committed.pop(session, None)
        self.histories.forks.pop(session, None)
        self.files.of_sessions.pop(session, None)
        for turn_id, turn in self.turns.items():
            if turn.session == session:
                turn.erased = True
                self.files.forget_turn(turn_id)
        self.histories.unanswered.pop(session, None)

    def cancel(self, turn_id: str) -> None:
        if not self.turns[turn_id].status.is_terminal:
            self._end(turn_id, Event.CANCEL)

    def expire_lease(self, turn_id: str) -> None:
        """Rescue a turn whose lease has expired, or dispatch a head that is due."""
        turn = self.turns[turn_id]
        if turn.status is Status.IN_PROGRESS:
            self.lose_runs([turn_id])
        elif turn.paused_by:
            self._pause_turn(turn_id, turn.paused_by)
        else:
            turn.is_delayed = False
            self._dispatch(turn_id)

    def running_turns(self, worker: str) -> set[str]:
        running = {id: turn for id, turn in self.turns.items() if turn.status is Status.IN_PROGRESS}
        return {turn_id for turn_id, turn in running.items() if turn.worker == worker}

    def lose_runs(self, turn_ids: Iterable[str]) -> None:
        """Rescue the turns of a dead worker, in this order."""
        for turn_id in turn_ids:
            turn = self.turns[turn_id]
            if turn.losses + 1 >= MAX_LOSSES:
                self._end(turn_id, Event.LOSE)
                turn.losses += 1
                continue
            self._release_slots(turn_id)
            self._requeue(turn_id, Event.RESCUE)
            turn.losses += 1
            turn.is_delayed = turn.losses >= LOSSES_DELAYED
            if not turn.is_delayed:
                self._dispatch(turn_id)

    def pause(self, part: str) -> None:
        self.pauses[part] = ReferencePause()

    def resume(self, part: str) -> bool:
        """Return whether the part was paused."""
        if part not in self.pauses or self.pauses[part].is_over:
            return False
        self.pauses[part].is_over = True
        self._resume_batch(part)
        return True

    def check_pauses(self) -> None:
        """Let a worker check all pauses."""
        for part in sorted(self.pauses):
            if self.pauses[part].is_over:
                self._resume_batch(part)

    def paused(self, part: str) -> list[str]:
        """Return the turns that wait for a part, in order."""
        paused = [(turn.accepted_at, turn_id) for turn_id, turn in self.turns.items() if turn.paused_by == part]
        return [turn_id for _, turn_id in sorted(paused)]

    def check_groups(self) -> None:
        """Let a worker check all groups for which turns wait."""
        for group in sorted(self.slots.crowded):
            self._check_group(group)

    def limit_tenant(self, slots: int) -> None:
        """Give the tenant another limit of turns that run at once, or none (0)."""
        self.slots.tenant_slots = slots
        if slots:
            running = {head for head in self.heads() if self.turns[head].status is Status.IN_PROGRESS}
            self.slots.holders[TENANT] |= self.slots.holders[ALL] | running  # a late hint starts a turn without a slot
        self._check_group(TENANT)

    def discard(self, turn_id: str) -> bool:
        """Discard a failed turn; return whether it is discarded."""
        turn = self.turns[turn_id]
        turn.is_discarded = turn.is_discarded or (turn.status is Status.FAILED and not turn.erased)
        return turn.is_discarded

    def restore(self, turn_id: str) -> bool:
        """Put a discarded turn back; return whether it is listed."""
        turn = self.turns[turn_id]
        turn.is_discarded = turn.is_discarded and turn.erased
        return turn_id in self.listed_failures()

    def listed_failures(self) -> set[str]:
        """Return the failed turns that are not resolved."""
        failed = {turn_id: turn for turn_id, turn in self.turns.items() if turn.status is Status.FAILED}
        return {turn_id for turn_id, turn in failed.items() if not turn.is_discarded and not turn.erased}

    def heads(self) -> set[str]:
        return {queue[0] for queue in self.queues.values() if queue}

    def wait_of(self, turn_id: str) -> tuple[str, str] | None:
        """Return why a head waits, and for what; None if it runs, or waits for a worker or a time.

        A turn whose hold is checked by its due entry is sent to a worker, which lets it wait for the hold again.
        """
        turn = self.turns[turn_id]
        if turn.paused_by:
            return ("workers_paused", "") if turn.paused_by == "workers" else ("paused", turn.paused_by)
        if turn.held_by and turn.is_delayed:
            return "model_paused", turn.held_by
        groups = [group for group in turn.groups if turn_id in self.slots.waiters[group]]
        return ("parked", groups[0]) if groups and turn.status is Status.QUEUED else None

    def _dispatch(self, turn_id: str) -> str | None:
        """Return the group for which the turn waits, or None if it has its slots."""
        turn = self.turns[turn_id]
        turn.waits_since = self.now if turn.waits_since is None else turn.waits_since
        since = turn.accepted_at if turn.losses or turn.is_resumed else turn.waits_since
        return self.slots.acquire(turn_id, turn.groups, since=since, goes_first=turn.losses > 0)

    def _check_group(self, group: str) -> None:
        self._serve(group, len(self.turns))
        if self.slots.waiters[group]:
            self.slots.crowded.add(group)
        else:
            self.slots.crowded.discard(group)

    def _release_slots(self, turn_id: str) -> None:
        groups = self.turns[turn_id].groups
        self.slots.leave(turn_id, groups)
        for group in groups:
            self._serve(group, 1)

    def _serve(self, group: str, max_turns: int) -> None:
        for turn_id in self.slots.waiting(group)[: max_turns + MAX_PASSED]:
            is_waiting = self.turns[turn_id].status is Status.QUEUED
            full = self._dispatch(turn_id) if is_waiting else None
            if full == group:
                return
            self.slots.waiters[group].pop(turn_id, None)
            max_turns -= is_waiting and full is None
            if max_turns == 0:
                return

    def _pass_hold(self, turn: ReferenceTurn) -> tuple[bool, bool]:
        """Return whether the turn may call its model, and whether it is the probe."""
        hold = self.holds.get(turn.model)
        if hold is None:
            return True, False
        if not hold.is_over:
            return False, False
        if turn.admitted_by == turn.model:
            return True, not hold.is_answered
        if self.held(turn.model):
            return False, False
        return (True, False) if hold.is_answered else (not self._is_probing(turn.model, hold),) * 2

    def _is_probing(self, model: str, hold: ReferenceHold) -> bool:
        probe = self.turns.get(hold.probe or "")
        return probe is not None and not probe.status.is_terminal and probe.admitted_by == model

    def _hold_turn(self, turn_id: str) -> None:
        turn = self.turns[turn_id]
        turn.held_by, turn.admitted_by, turn.is_delayed, turn.waits_since = turn.model, None, True, None
        turn.held_at = self.now if turn.held_at is None else turn.held_at
        self._release_slots(turn_id)

    def _find_pause(self, turn_id: str) -> str | None:
        """Return the part for which the turn has to wait."""
        turn = self.turns[turn_id]
        for part in turn.parts:
            older = [other for other in self.paused(part) if self.turns[other].accepted_at < turn.accepted_at]
            if part in self.pauses and (older or not self.pauses[part].is_over):
                return part
        return None

    def _pause_turn(self, turn_id: str, part: str) -> None:
        turn = self.turns[turn_id]
        turn.paused_by, turn.is_resumed, turn.is_delayed = part, False, False
        turn.held_by = turn.held_at = turn.admitted_by = turn.waits_since = None
        self._release_slots(turn_id)

    def _resume_batch(self, part: str) -> None:
        pause = self.pauses[part]
        for turn_id in self.paused(part)[: pause.batch]:
            turn = self.turns[turn_id]
            turn.paused_by, turn.is_resumed = None, True
            self._dispatch(turn_id)
        pause.batch *= 2
        if not self.paused(part):
            del self.pauses[part]

    def _confirm_answer(self, model: str | None) -> None:
        if model in self.holds and self.holds[model].is_over:
            self._reopen(model, ADMITTED_PER_ANSWER)

    def _reopen(self, model: str, max_turns: int) -> None:
        if held := self.held(model):
            self.holds[model] = ReferenceHold(is_over=True, is_answered=True, step=0)
            self._admit(held[:max_turns], model)
        else:
            del self.holds[model]

    def _admit(self, turn_ids: Sequence[str], model: str) -> None:
        for turn_id in turn_ids:
            turn = self.turns[turn_id]
            turn.held_by, turn.is_delayed, turn.admitted_by = None, False, model
            self._dispatch(turn_id)

    def _requeue(self, turn_id: str, event: Event) -> None:
        turn = self.turns[turn_id]
        turn.status, turn.token = advance(turn.status, event), None
        self.usage.repeated_runs += 1
        self.usage.unreported_calls += event is Event.RESCUE

    def _end(self, turn_id: str, event: Event) -> None:
        turn = self.turns[turn_id]
        queue, was_head = self.queues[turn.session], self.is_head(turn_id)
        has_run = turn.status is Status.IN_PROGRESS
        turn.status = advance(turn.status, event)
        if event in {Event.FAIL, Event.CANCEL, Event.LOSE, Event.EXPIRE} and not (turn.replaces or turn.stands_alone):
            self.histories.unanswered.setdefault(turn.session, []).append(turn_id)
        self.usage.outcomes[turn.status] += 1
        self.usage.unreported_calls += has_run and event in {Event.CANCEL, Event.LOSE}
        turn.held_by = turn.paused_by = turn.waits_since = None
        queue.remove(turn_id)
        self._release_slots(turn_id)
        if was_head and queue:
            self._dispatch(queue[0])
