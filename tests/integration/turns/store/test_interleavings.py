"""Random interleavings of all verbs, with sleeping, duplicated and late workers, against a small pure model.

After each step: turns of a session take effect in order, one owner writes, history grows only by whole committed
pairs, nothing is lost, nothing happens twice, each live head is in the due index once, and no key is kept for ever.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as depth
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.integration.conftest import answer_to, history, send_heartbeat
from tests.support.leaks import leaked_keys
from tests.support.reference.model import CAPACITY, COHORTS, MAX_LOSSES, ReferenceModel
from tests.support.reference.slots import ALL, LOST, TENANT
from tests.support.server import Server
from turns.backend import keys, script_loader
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.content.parts import Part as Image
from turns.domain.content.parts import PartType
from turns.domain.error_codes import Code
from turns.domain.errors import (
    FileNotFound,
    LeaseLost,
    SessionBusy,
    SessionChanged,
    SessionNotEmpty,
    SessionNotFound,
    TurnNotCommitted,
    TurnNotFound,
    TurnNotLast,
)
from turns.domain.events import START, EventType
from turns.domain.ids import DEFAULT_TENANT, session_key, user_key
from turns.domain.messages import Message
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.run.spending import Spending, Usage
from turns.domain.state import TERMINAL, Status
from turns.domain.turn_request import OnBusy, TurnRequest
from turns.edits.copies import HistoryCopies
from turns.edits.deletion import Deletion
from turns.edits.forks import Forks, Source
from turns.edits.placement import ForkPlacement
from turns.edits.regeneration import Changes, Fork, Origin, Regeneration
from turns.file_history.files import HistoryFiles
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.files.blobs import DirectoryBlobs
from turns.files.store import FileStore, StoredFile
from turns.jobs.scripts import JobScripts
from turns.pauses.part import ServicePart
from turns.pauses.pauses import Pauses
from turns.store.event_stream.folded_events import folded_events
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.tenants.limits import OwnLimits
from turns.tenants.tenants import Tenants
from turns.usage.report import Dimension, UsageQuery
from turns.usage.store import UsageStore

pytestmark = pytest.mark.usefixtures("small_policies")

PNG = b"\x89PNG\r\n\x1a\n"
SPENT = Spending(usage=Usage(input_tokens=7, output_tokens=5, total_tokens=12))
ALICE = user_key("alice")
OF_ALICE = session_key("d", "alice")
NAMES = ("a", "b", "c", OF_ALICE)
SESSIONS = st.sampled_from(NAMES)
MODELS = st.sampled_from(["x", "y"])
PARTS = ("workers", "assistant/x", "model/x", "model/y")
WORKERS = st.sampled_from(["v", "w"])
# No delay, lease or interval of a check ends during an example.
LIMITS = {"max_losses": MAX_LOSSES, "retry_seconds": 60.0, "lease_seconds": 60.0, "hint_grace_seconds": 60.0}
POLL_MS = 3_600_000
MAX_KEPT = 10  # questions without an answer, of the 20 that a session has room for with some removed
REFUSALS = {
    "not found": TurnNotFound,
    "not committed": TurnNotCommitted,
    "not last": TurnNotLast,
    "not empty": SessionNotEmpty,
    "busy": SessionBusy,
}
PAUSE = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=300))


class KeptNowhere(DirectoryBlobs):
    """A place of files that needs no disk."""

    def write(self, file_id: str, content: bytes) -> None:
        pass

    def delete(self, file_id: str) -> None:
        pass


class Interleavings(RuleBasedStateMachine):
    """The state machine; each test sets `server` and the stores."""

    server: Server
    store: TurnStore
    pauses: Pauses
    sessions: SessionStore
    tenants: Tenants
    usage: UsageStore
    jobs: JobScripts
    regeneration: Regeneration
    forks: Forks
    deletion: Deletion
    files: FileStore
    read_history: Callable[[str], list[str]]
    directory: Path

    turns = Bundle("turns")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.server.raw.flushall()
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        send_heartbeat(self.server)
        self.store.rescue(worker="w2", hint="turn_" + "0" * 32)
        self.server.raw.hset(keys.SERVICE.name, mapping={"capacity": CAPACITY, "shared_since": 1})
        self.server.raw.hset(keys.JOB("job"), "token", "t")
        self.server.raw.expire(keys.JOB("job"), 3600)
        self.server.raw.zadd(keys.JOBS_DUE.name, {"job": 1})
        self.model = ReferenceModel()
        self.last_claims: dict[str, Claim] = {}
        self.seen: dict[str, tuple[tuple[str, ...], int]] = {}  # the histories after the last step, and the versions
        self.emitted: set[str] = set()  # tokens of the runs whose answers have begun
        self.uploaded: list[StoredFile] = []

    @rule(target=turns, session=SESSIONS, model=MODELS)
    def accept(self, session: str, model: str) -> str:
        turn = self.store.accept(_request(session, model)).turn
        self.model.accept(turn.id, session, model)
        return turn.id

    @initialize(target=turns)
    def begin_with_files(self) -> MultipleResults[str]:
        """Commit a turn with files in two sessions, so that edits, forks and deletions find some."""
        files = [self._upload() for _ in range(2)]
        turns = [self._accept_with_files(session, files) for session in ("a", "b")]
        for turn_id in turns:
            self.claim(turn_id, "v")
            self.commit_with_image(self.last_claims[turn_id])
            self.the_clock_moves_on()
        return multiple(*turns)

    @rule()
    def upload(self) -> None:
        self._upload()

    def _upload(self) -> StoredFile:
        file = self.files.add(PNG, media_type="", name="", tenant=DEFAULT_TENANT)
        self.uploaded.append(file)
        self.model.files.kept.add(file.id)
        return file

    @rule(target=turns, session=SESSIONS, chosen=st.sets(st.integers(0, 3), min_size=1))
    def accept_with_files(self, session: str, chosen: set[int]) -> MultipleResults[str]:
        files = self.uploaded[-4:]
        files = [files[n] for n in sorted(chosen) if n < len(files)] or [self._upload()]
        if self.model.files.kept.issuperset(file.id for file in files):
            return multiple(self._accept_with_files(session, files))
        with pytest.raises(FileNotFound):
            self._accept_with_files(session, files)
        return multiple()

    def _accept_with_files(self, session: str, files: Sequence[StoredFile]) -> str:
        images = tuple(Image(type=PartType.IMAGE, file_id=file.id, media_type=file.media_type) for file in files)
        turn = self.store.accept(replace(_request(session, "x"), parts=images)).turn
        self.model.accept(turn.id, session, "x", files=[file.id for file in files])
        self.the_clock_moves_on()
        return turn.id

    @rule()
    def sweep(self) -> None:
        """Let the next check of each file be due."""
        for file_id in self.server.raw.zrange(keys.FILES_DUE.name, 0, -1):
            self.server.raw.zadd(keys.FILES_DUE.name, {file_id: 1})
        assert self.files.sweep() == self.model.files.sweep()

    @rule(target=turns, session=SESSIONS, key=st.sampled_from(["k", "l"]))
    def accept_with_key(self, session: str, key: str) -> str:
        accepted = self.store.accept(replace(_request(session, "x"), idempotency_key=f"{session}{key}"))
        assert accepted.replayed == (accepted.turn.id in self.model.turns)
        if not accepted.replayed:
            self.model.accept(accepted.turn.id, session, "x")
        return accepted.turn.id

    @rule(target=turns, session=SESSIONS, model=MODELS)
    def accept_alone(self, session: str, model: str) -> str:
        """Accept a turn that brings its own past, in the queue of a session that may have others."""
        turn = self.store.accept(replace(_request(session, model), past=tuple(_messages("past")))).turn
        self.model.accept(turn.id, session, model)
        self.model.turns[turn.id].stands_alone = True
        return turn.id

    @rule(target=turns, model=MODELS)
    def accept_in_each_session(self, model: str) -> MultipleResults[str]:
        for session in NAMES:
            self.accept(session, model)
            self.the_clock_moves_on()
        return multiple(*(queue[-1] for queue in self.model.queues.values()))

    @rule(target=claims, turn_id=turns, worker=WORKERS)
    def claim(self, turn_id: str, worker: str) -> MultipleResults[Claim]:
        claim = self.store.claim(turn_id, worker=worker)
        assert (claim is not None) == self.model.claim(turn_id, worker)
        if claim is None:
            return multiple()
        expected = [message for turn in self.model.histories.visible(turn_id) for message in self._pair(turn)]
        if self.model.turns[turn_id].stands_alone:
            expected = [message.to_stored() for message in _messages("past")]
        assert [message.decode() for message in claim.messages] == expected
        self.model.turns[turn_id].token = claim.token
        self.last_claims[turn_id] = claim
        return multiple(claim)

    @rule(target=claims, worker=WORKERS)
    def claim_heads(self, worker: str) -> MultipleResults[Claim]:
        heads = sorted(self.model.heads())
        for turn_id in heads:
            self.claim(turn_id, worker)
            self.the_clock_moves_on()
        return multiple(*(self.last_claims[turn_id] for turn_id in heads if turn_id in self.last_claims))

    @rule(session=SESSIONS, how=st.sampled_from(["commit", "pause_model", "fail", "receive_first_text", "release"]))
    def continue_run(self, session: str, how: str) -> None:
        """Let the running turn of a session go on, because most claims of the bundle have ended."""
        head = self.model.queues.get(session, [])[:1]
        claim = self.last_claims.get(head[0]) if head else None
        if claim:
            self.commit(claim, doubled=False) if how == "commit" else getattr(self, how)(claim)

    @rule(target=turns, session=SESSIONS, on_busy=st.sampled_from([OnBusy.INTERRUPT, OnBusy.ROLLBACK]))
    def accept_instead(self, session: str, on_busy: OnBusy) -> str:
        turn = self.store.accept(replace(_request(session, "x"), on_busy=on_busy)).turn
        self.model.clear_session(session, keep_running=on_busy is OnBusy.INTERRUPT)
        self.model.accept(turn.id, session, "x")
        return turn.id

    @rule(target=turns, session=SESSIONS, behind=st.integers(0, 2))
    def accept_for_version(self, session: str, behind: int) -> MultipleResults[str]:
        """Submit a turn for the present version of its session or for an earlier one."""
        request = replace(_request(session, "x"), if_version=max(0, self._version(session) - behind))
        if request.if_version != self._version(session):
            with pytest.raises(SessionChanged):
                self.store.accept(request)
            return multiple()
        turn = self.store.accept(request).turn
        self.model.accept(turn.id, session, "x")
        return multiple(turn.id)

    @rule(target=turns, turn_id=turns, text=st.sampled_from([None, "edited"]))
    def regenerate(self, turn_id: str, text: str | None) -> MultipleResults[str]:
        """Ask for another answer to any turn, which is accepted for the last committed one of a session."""
        only_last = Changes(fork=Fork.NEVER, input=text)
        if refused := REFUSALS.get(self.model.histories.check_last(turn_id)):
            with pytest.raises(refused):
                self.regeneration.regenerate(turn_id, only_last, Origin(tenant=DEFAULT_TENANT))
            return multiple()
        accepted = self.regeneration.regenerate(turn_id, only_last, Origin(tenant=DEFAULT_TENANT))
        earlier = self.model.turns[turn_id]
        files = self.model.files.asked[turn_id]
        self.model.accept(accepted.turn.id, earlier.session, earlier.model, files=files)
        self.model.turns[accepted.turn.id].replaces = turn_id
        return multiple(accepted.turn.id)

    @rule(target=turns, session=SESSIONS)
    def regenerate_last(self, session: str) -> MultipleResults[str]:
        last = self.model.histories.committed.get(session, [])[-1:]
        return self.regenerate(last[0], None) if last and last[0] in self.model.turns else multiple()

    @rule(target=turns, turn_id=turns, session=st.sampled_from(["a", "b", "c"]))
    def regenerate_in_fork(self, turn_id: str, session: str) -> MultipleResults[str]:
        """Ask for another answer to any turn in a session that begins with the turns before it."""
        earlier = self.model.turns[turn_id]
        if earlier.session == OF_ALICE:
            return multiple()
        result = self.model.histories.fork(earlier.session, session, turn_id=turn_id, before=True, has_turn=True)
        changes = Changes(fork=Fork.ALWAYS, session_id=session)
        if refused := REFUSALS.get(result):
            with pytest.raises(refused):
                self.regeneration.regenerate(turn_id, changes, Origin(tenant=DEFAULT_TENANT))
            return multiple()
        accepted = self.regeneration.regenerate(turn_id, changes, Origin(tenant=DEFAULT_TENANT))
        self.model.accept(accepted.turn.id, session, earlier.model, files=self.model.files.asked[turn_id])
        return multiple(accepted.turn.id)

    @rule(turn_id=turns, session=st.sampled_from(["a", "b", "c"]), before=st.booleans())
    def fork(self, turn_id: str, session: str, *, before: bool) -> None:
        source = Source(session_id=self.model.turns[turn_id].session, user_id=None, turn_id=turn_id, before=before)
        if source.session_id == OF_ALICE:
            return
        result = self.model.histories.fork(source.session, session, turn_id=turn_id, before=before)
        if refused := REFUSALS.get(result):
            with pytest.raises(refused):
                self.forks.fork(source, session)
        else:
            assert self.forks.fork(source, session).replayed == (result == "replayed")

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        superseded = [(claim.token, Reply.SUPERSEDED)] if self.model.turns[claim.turn_id].superseded else []
        holds = self.model.holds_lease(claim.turn_id, claim.token)
        assert self.store.renew([claim]) == (superseded if holds else [(claim.token, Reply.LOST)])

    @rule(claim=claims)
    def interrupt(self, claim: Claim) -> None:
        done = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.INCOMPLETE
        self._write(
            claim,
            lambda: self.store.interrupt(claim, self._answer(claim), tail=self._tail(claim), keeps_events=False),
            lambda: self.model.interrupt(claim.turn_id),
            allowed=done,
        )

    @rule(claim=claims)
    def interrupt_before_the_first_text(self, claim: Claim) -> None:
        """End a run without a text, which leaves the answer that it was to replace in the history."""
        if self.model.turns[claim.turn_id].replaces and claim.token not in self.emitted:
            silent = replace(answer_to(claim), answer_message="", output="")
            self._write(
                claim,
                lambda: self.store.interrupt(claim, silent, tail="", keeps_events=False),
                lambda: self.model.interrupt(claim.turn_id, has_text=False),
                allowed=self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.INCOMPLETE,
            )

    @rule(claim=claims)
    def release(self, claim: Claim) -> None:
        self.store.release(claim.turn_id, token=claim.token)
        if self.model.holds_lease(claim.turn_id, claim.token):
            self.model.release(claim.turn_id)

    @rule(claim=claims)
    def emit(self, claim: Claim) -> None:
        holds = self.model.holds_lease(claim.turn_id, claim.token)
        delta = claim.delta(0, answer_to(claim).output[:1])
        assert self.store.emit([delta]) == ([] if holds else [(claim.token, Reply.LOST)])
        if holds:
            self.emitted.add(claim.token)

    @rule(claim=claims, doubled=st.booleans())
    def commit(self, claim: Claim, *, doubled: bool) -> None:
        for _ in range(1 + doubled):
            done = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.COMPLETED
            self._write(
                claim,
                lambda: self.store.commit(
                    claim, self._answer(claim), tail=self._tail(claim), keeps_events=False, spending=SPENT
                ),
                lambda: self.model.commit(claim.turn_id),
                allowed=done,
            )

    @rule(claim=claims)
    def commit_with_image(self, claim: Claim) -> None:
        if self._has_ended_by(claim):
            return
        drawn = [self._upload().id]
        answer = self._answer(claim, drawn)
        self._write(
            claim,
            lambda: self.store.commit(claim, answer, tail=self._tail(claim), keeps_events=False, spending=SPENT),
            lambda: self.model.commit(claim.turn_id, drawn),
        )

    @rule(claim=claims)
    def fail(self, claim: Claim) -> None:
        failed = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.FAILED
        self._write(
            claim,
            lambda: self.store.fail(claim, Code.PROVIDER_QUOTA),
            lambda: self.model.fail(claim.turn_id),
            allowed=failed or self._was_retried_by(claim),
        )

    @rule(claim=claims)
    def pause_model(self, claim: Claim) -> None:
        """Let the provider ask the running turn for a pause of its model."""
        failed = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.FAILED
        self._write(
            claim,
            lambda: self.store.retry(claim, Code.PROVIDER_RATE_LIMITED, PAUSE, model=claim.model),
            lambda: self.model.pause_model(claim.turn_id),
            allowed=failed or self._was_retried_by(claim),
        )

    @rule(model=MODELS)
    def pause_running_turns(self, model: str) -> None:
        """Let all running turns of a model fail, as when its provider limits the rate."""
        for turn_id in sorted(self.model.heads()):
            if self.model.turns[turn_id].status is Status.IN_PROGRESS and self.model.turns[turn_id].model == model:
                self.pause_model(self.last_claims[turn_id])
                self.the_clock_moves_on()

    @rule(claim=claims)
    def receive_first_text(self, claim: Claim) -> None:
        self.store.reopen(claim)
        self.model.confirm_first_text(claim.turn_id)

    @precondition(lambda self: self.model.holds)
    @rule(model=MODELS)
    def lift_hold(self, model: str) -> None:
        assert self.store.lift_hold(model) == (model in self.model.holds)
        if model in self.model.holds:
            self.model.lift_hold(model)

    @precondition(lambda self: self.model.holds)
    @rule(model=MODELS)
    def end_pause(self, model: str) -> None:
        """Let the time of a hold pass and a worker check it."""
        if model in self.model.holds:
            self.server.raw.hset(keys.HOLD(model), "until", 1)
            self.server.raw.zadd(keys.HOLDS.name, {model: 1})
            self.store.rescue(worker="", hint="")
            self.model.end_pause(model)

    @rule(part=st.sampled_from(PARTS))
    def pause(self, part: str) -> None:
        self.pauses.pause(ServicePart.parse(*part.split("/")))
        self.model.pause(part)

    @precondition(lambda self: self.model.pauses)
    @rule(part=st.sampled_from(PARTS))
    def resume(self, part: str) -> None:
        assert self.pauses.resume(ServicePart.parse(*part.split("/"))) == self.model.resume(part)

    @precondition(lambda self: self.model.pauses)
    @rule()
    def check_pauses(self) -> None:
        """Let a worker check all pauses."""
        parts = self.server.raw.zrange(keys.PAUSES.name, 0, -1)
        self.server.raw.zadd(keys.PAUSES.name, dict.fromkeys(parts, 1))
        self.store.rescue(worker="", hint="")
        self.model.check_pauses()

    @precondition(lambda self: self.model.slots.crowded)
    @rule()
    def check_groups(self) -> None:
        """Let a worker check all groups for which turns wait."""
        groups = self.server.raw.zrange(keys.CROWDED.name, 0, -1)
        self.server.raw.zadd(keys.CROWDED.name, dict.fromkeys(groups, 1))
        self.store.rescue(worker="", hint="")
        self.model.check_groups()

    @rule(slots=st.integers(0, 2))
    def limit_tenant(self, slots: int) -> None:
        """Let an operator limit the turns of the tenant that run at once, or end that (0)."""
        if slots:
            self.tenants.set_limits(DEFAULT_TENANT, OwnLimits(concurrency=slots, backlog=1000))
        else:
            self.tenants.remove_limits(DEFAULT_TENANT)
        self.model.limit_tenant(slots)

    @rule(turn_id=turns)
    def cancel(self, turn_id: str) -> None:
        if self.model.turns[turn_id].erased:
            with pytest.raises(TurnNotFound):
                self.store.cancel(turn_id)
        else:
            self.store.cancel(turn_id)
            self.model.cancel(turn_id)

    @rule(turn_id=turns)
    def stop(self, turn_id: str) -> None:
        """Cancel a turn but keep its question and its partial answer."""
        if not self.model.turns[turn_id].erased:
            self.store.cancel(turn_id, keeps=True)
            self.model.stop(turn_id)

    @rule(turn_id=turns)
    def delete(self, turn_id: str) -> None:
        if refused := REFUSALS.get(self.model.histories.delete(turn_id)):
            with pytest.raises(refused):
                self.deletion.delete(turn_id, tenant=DEFAULT_TENANT)
        else:
            self.deletion.delete(turn_id, tenant=DEFAULT_TENANT)

    @rule(session=SESSIONS)
    def delete_last(self, session: str) -> None:
        last = self.model.histories.committed.get(session, [])[-1:]
        if last and last[0] in self.model.turns:
            self.delete(last[0])

    @rule(turn_id=turns)
    def discard(self, turn_id: str) -> None:
        turns = [f"{DEFAULT_TENANT}/{turn_id}"]
        assert self.jobs.discard("job", token="t", turns=turns) == self.model.discard(turn_id)

    @rule(turn_id=turns)
    def restore(self, turn_id: str) -> None:
        turns = [f"{DEFAULT_TENANT}/{turn_id}"]
        count = self.jobs.restore("job", token="t", discarded_by="job", turns=turns)
        assert count == self.model.restore(turn_id)

    @rule(session=SESSIONS)
    def erase(self, session: str) -> None:
        self.sessions.erase(session)
        self.model.erase(session)

    @rule(session=SESSIONS, name=st.sampled_from(["i", "j"]))
    def import_messages(self, session: str, name: str) -> None:
        expected = self.model.histories.import_messages(session, name)
        assert self._imported(session, name) == expected

    @rule(turn_id=turns)
    def expire_lease(self, turn_id: str) -> None:
        """Make the turn due and let a worker rescue it; if it has not begun, its hint is lost."""
        send_heartbeat(self.server)  # without a gap
        self.server.raw.delete(keys.HINTS.name)
        if self.server.raw.zadd(keys.DUE.name, {turn_id: 1}, xx=True, ch=True):
            self.store.rescue(worker="", hint="")
            self.model.expire_lease(turn_id)

    @rule(worker=WORKERS)
    def lose_worker(self, worker: str) -> None:
        rescued = [turn_id for turn_id, _ in self.store.rescue_worker(worker)]
        assert set(rescued) == self.model.running_turns(worker)
        self.model.lose_runs(rescued)

    @invariant()
    def the_clock_moves_on(self) -> None:
        """Let each step have a time (ms) of its own, so that the order of waiting turns is that of the model."""
        before = self._now_ms()
        while self._now_ms() == before:
            pass
        self.model.now += 1

    @invariant()
    def pauses_are_as_in_the_model(self) -> None:
        for part in PARTS:
            assert [turn.decode() for turn in self.server.raw.zrange(keys.PAUSED(part), 0, -1)] == self.model.paused(
                part
            )
            assert bool(self.server.raw.hexists(keys.SERVICE.name, part)) == (part in self.model.pauses)
        assert {part.decode() for part in self.server.raw.zrange(keys.PAUSES.name, 0, -1)} == set(self.model.pauses)

    @invariant()
    def slots_and_holds_are_as_in_the_model(self) -> None:
        slots = self.model.slots
        for group in (LOST, ALL, TENANT, *(f"loop/model:{model}" for model in "xy")):
            holders, waiting = keys.SLOTS(group), keys.SLOT_WAITERS(group)
            assert {turn.decode() for turn in self.server.raw.smembers(holders)} == slots.holders[group]
            assert [turn.decode() for turn in self.server.raw.zrange(waiting, 0, -1)] == slots.waiting(group)
        assert {name.decode() for name in self.server.raw.zrange(keys.CROWDED.name, 0, -1)} == slots.crowded
        for model in "xy":
            assert [turn.decode() for turn in self.server.raw.zrange(keys.HELD(model), 0, -1)] == self.model.held(model)
            assert bool(self.server.raw.exists(keys.HOLD(model))) == (model in self.model.holds)

    @invariant()
    def each_turn_is_as_in_the_model(self) -> None:
        kept = {turn_id: turn for turn_id, turn in self.model.turns.items() if not turn.erased}
        for turn_id, expected in kept.items():
            turn = self.store.get_turn(turn_id)
            assert (turn.status, turn.attempt, turn.losses) == (expected.status, expected.attempt, expected.losses)
            if turn.output is not None:
                deltas = [event for event in folded_events(turn, after=START) if event.type is EventType.DELTA]
                assert "".join(delta.text for delta in deltas) == turn.output
        assert {turn.id for turn in self.store.list_turns(limit=1000).turns} == set(kept)
        of_alice = {turn_id for turn_id, turn in kept.items() if turn.session == OF_ALICE}
        assert {turn.decode() for turn in self.server.raw.zrange(keys.USER_TURNS(ALICE), 0, -1)} == of_alice

    @invariant()
    def files_and_their_holders_are_as_in_the_model(self) -> None:
        for file in self.uploaded:
            assert bool(self.server.raw.exists(keys.FILE(file.id))) == (file.id in self.model.files.kept)
            holders = {holder.decode() for holder in self.server.raw.smembers(keys.FILE_HOLDERS(file.id))}
            assert holders == self.model.files.holders(file.id)

    @invariant()
    def each_head_records_what_it_waits_for(self) -> None:
        for turn_id in self.model.heads():
            wait = json.loads(self.server.raw.hget(keys.TURN(turn_id), "open_wait") or "null")
            assert (wait and (wait[0], wait[2])) == self.model.wait_of(turn_id)

    @invariant()
    def history_is_the_committed_pairs_in_order(self) -> None:
        for session in NAMES:
            pairs = [
                message for turn in self.model.histories.committed.get(session, []) for message in self._pair(turn)
            ]
            assert type(self).read_history(session) == pairs

    @invariant()
    def questions_without_an_answer_are_kept(self) -> None:
        for session, turns in self.model.histories.unanswered.items():
            kept = {question.turn_id for question in self.sessions.list_unanswered(session)}
            assert set(turns[-MAX_KEPT:]) <= kept <= set(turns)

    @invariant()
    def the_version_rises_with_each_change_of_the_history(self) -> None:
        histories = self.model.histories.committed
        after = {name: (tuple(history), self._version(name)) for name, history in histories.items()}
        for name in after.keys() & self.seen.keys():
            (history, version), (history_before, version_before) = after[name], self.seen[name]
            assert version > version_before if history != history_before else version == version_before
        self.seen = after

    @invariant()
    def each_live_head_is_in_the_due_index_once(self) -> None:
        due = {turn.decode() for turn in self.server.raw.zrange(keys.DUE.name, 0, -1)}
        assert due == self.model.heads()

    @invariant()
    def failed_turns_are_listed_until_they_are_discarded(self) -> None:
        listed = {member.decode().partition("/")[2] for member in self.server.raw.zrange(keys.FAILED.name, 0, -1)}
        assert listed == self.model.listed_failures()

    @invariant()
    def live_turns_are_counted(self) -> None:
        live = sum(len(queue) for queue in self.model.queues.values())
        assert self.store.read_health().live_turns == live
        if self.model.slots.tenant_slots:
            assert int(self.server.raw.hget(keys.TENANT(DEFAULT_TENANT), "live") or 0) == live

    @rule()
    def fold_usage(self) -> None:
        self.usage.fold()

    def teardown(self) -> None:
        assert leaked_keys(self.server.raw) == set()
        self._usage_is_as_in_the_model()

    def _usage_is_as_in_the_model(self) -> None:
        """Compare what all runs took: each end of a run counts once, and each commit has the tokens of `SPENT`."""
        today = datetime.fromtimestamp(self._now_ms() / 1000, UTC).date()
        days = UsageQuery(first_day=today - timedelta(days=1), last_day=today)
        for by in ((), (Dimension.USER,)):  # from both kinds of hashes
            found, expected = self.usage.read(replace(days, by=by)).total, self.model.usage
            assert {status: getattr(found, status) for status in TERMINAL} == {
                status: expected.outcomes[status] for status in TERMINAL
            }
            assert found.repeated_runs == expected.repeated_runs
            assert found.unreported_calls == expected.unreported_calls
            assert found.input_tokens == expected.outcomes[Status.COMPLETED] * SPENT.usage.input_tokens

    def _version(self, session: str) -> int:
        try:
            return self.sessions.get_session(session).version
        except SessionNotFound:
            return 0

    def _now_ms(self) -> int:
        seconds, microseconds = self.server.raw.time()
        return int(seconds * 1000 + microseconds // 1000)

    def _imported(self, session: str, name: str) -> str:
        try:
            imported = self.sessions.import_messages(_messages(name), **_ids(session))
        except SessionNotEmpty:
            return "not empty"
        except SessionBusy:
            return "busy"
        return "replayed" if imported.replayed else "imported"

    def _answer(self, claim: Claim, drawn: Sequence[str] = ()) -> Answer:
        """Return an answer with these files, and the messages that refer to them."""
        question, answer = _messages_of(claim.turn_id, self.model.files.asked[claim.turn_id], drawn)
        return replace(answer_to(claim), question_message=question, answer_message=answer, files=tuple(drawn))

    def _pair(self, turn_id: str) -> Sequence[str]:
        """Return the messages of a turn, or those that were imported under this name."""
        if not turn_id.startswith("turn_"):
            return [message.to_stored() for message in _messages(turn_id)]
        return _messages_of(turn_id, *self.model.files.of_messages[turn_id])

    def _has_ended_by(self, claim: Claim) -> bool:
        turn = self.model.turns[claim.turn_id]
        return turn.status.is_terminal and turn.token == claim.token and not turn.erased

    def _was_retried_by(self, claim: Claim) -> bool:
        turn = self.model.turns[claim.turn_id]
        return turn.retried_token == claim.token and not turn.erased

    def _tail(self, claim: Claim) -> str:
        """Return the part of the answer that the run has not emitted."""
        return answer_to(claim).output[claim.token in self.emitted :]

    def _write(
        self, claim: Claim, write: Callable[[], None], then: Callable[[], None], *, allowed: bool = False
    ) -> None:
        """Check that the holder's write takes effect, that its repetition does nothing and that others are refused."""
        if self.model.holds_lease(claim.turn_id, claim.token):
            write()
            then()
        elif allowed:
            write()
        else:
            with pytest.raises(LeaseLost):
                write()


def _request(session: str, model: str) -> TurnRequest:
    return TurnRequest(**_ids(session), input="x", assistant=_assistant(model))


def _assistant(name: str) -> Assistant:
    return Assistant(name=name, model=name, accepts=("text", "image"))


def _ids(session: str) -> dict[str, Any]:
    return {"session_id": "d", "user_id": "alice"} if session == OF_ALICE else {"session_id": session, "user_id": None}


def _messages(name: str) -> list[Message]:
    return [
        Message(number=1, role="user", content=f"{name}?", turn_id=None),
        Message(number=2, role="assistant", content=f"{name}!", turn_id=None),
    ]


def _messages_of(turn_id: str, *files: Sequence[str]) -> tuple[str, str]:
    """Return a question and an answer with these files each."""
    asked, drawn = files
    return f'{{"q": "{turn_id} {" ".join(asked)}"}}', f'{{"a": "{turn_id} {" ".join(drawn)}"}}'


@pytest.fixture
def small_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_loader, "COHORTS", COHORTS)
    monkeypatch.setattr(script_loader, "FIRST_RESUMED", 1)
    for interval in ("CROWD_POLL_MS", "HOLD_POLL_MS", "PAUSE_POLL_MS"):
        monkeypatch.setattr(script_loader, interval, POLL_MS)


def test_interleavings(
    server: Server, client: Client, settings: Settings, sessions: SessionStore, tmp_path: Path
) -> None:
    limited = settings.model_copy(update=LIMITS)
    Interleavings.directory = tmp_path
    Interleavings.server, Interleavings.store = server, TurnStore(client, limited)
    Interleavings.sessions, Interleavings.read_history = sessions, partial(history, server)
    Interleavings.tenants, Interleavings.pauses = Tenants(client, settings), Pauses(client, limited)
    Interleavings.usage = UsageStore(client, settings)
    Interleavings.jobs = JobScripts(client, settings)
    open_edits(client, limited)
    interleave(70)


def test_interleavings_with_histories_in_files(
    server: Server, client: Client, settings: Settings, tmp_path: Path
) -> None:
    in_files = settings.model_copy(update={**LIMITS, "history": f"file:{tmp_path}"})
    Interleavings.server, Interleavings.store = server, open_turn_store(client, in_files)
    Interleavings.sessions, Interleavings.pauses = open_session_store(client, in_files), Pauses(client, in_files)
    Interleavings.tenants, Interleavings.jobs = Tenants(client, in_files), JobScripts(client, in_files)
    Interleavings.directory = tmp_path
    Interleavings.read_history = partial(read_file_history, server, HistoryFiles(tmp_path))
    Interleavings.usage = UsageStore(client, in_files)
    open_edits(client, in_files)
    interleave(35)


def open_edits(client: Client, settings: Settings) -> None:
    store, sessions = Interleavings.store, Interleavings.sessions
    shared = HistoryCopies(client, settings), ForkPlacement(client, settings)
    Interleavings.regeneration = Regeneration(store, sessions, *shared, _assistant)
    Interleavings.files = FileStore(client, settings, KeptNowhere(Path()))
    Interleavings.forks = Forks(client, settings, store, *shared)
    Interleavings.deletion = Deletion(store, *shared)


def read_file_history(server: Server, files: HistoryFiles, session: str) -> list[str]:
    """Return the committed messages of a session, oldest first."""
    count, version = server.raw.hmget(keys.SESSION(session), "messages", "file")
    return [item.decode() for item in files.read_messages(session, (version or b"").decode()) or []][: int(count or 0)]


def interleave(examples: int) -> None:
    limits = depth(
        max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Interleavings, settings=limits)
