"""Random interleavings of all verbs, with sleeping, duplicated and late workers, against a small pure model.

After each step: turns of a session take effect in order, one owner writes, history grows only by whole committed
pairs, nothing is lost, nothing happens twice, each live head is in the due index once, and no key is kept for ever.
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as depth
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.integration.conftest import answer_to, history, send_heartbeat
from tests.support.leaks import leaked_keys
from tests.support.reference_model import COHORTS, MAX_LOSSES, ReferenceModel
from tests.support.server import Server
from turns.backend import keys, script_loader
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, SessionBusy, SessionNotEmpty, TurnNotFound
from turns.domain.messages import Message
from turns.domain.state import Status
from turns.domain.turn import Claim, OnBusy, TurnRequest
from turns.file_history.files import HistoryFiles
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

pytestmark = pytest.mark.usefixtures("small_cohorts")

SESSIONS = st.sampled_from(["a", "b"])
WORKERS = st.sampled_from(["v", "w"])
LIMITS = {"max_losses": MAX_LOSSES, "retry_seconds": 60.0}  # no delay ends during an example


class Interleavings(RuleBasedStateMachine):
    """The state machine; each test sets `server` and the stores."""

    server: Server
    store: TurnStore
    sessions: SessionStore
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
        self.model = ReferenceModel()

    @rule(target=turns, session=SESSIONS)
    def accept(self, session: str) -> str:
        turn = self.store.accept(TurnRequest(session_id=session, input="x")).turn
        self.model.accept(turn.id, session)
        return turn.id

    @rule(target=turns, session=SESSIONS, key=st.sampled_from(["k", "l"]))
    def accept_with_key(self, session: str, key: str) -> str:
        request = TurnRequest(session_id=session, input="x", idempotency_key=f"{session}{key}")
        accepted = self.store.accept(request)
        assert accepted.replayed == (accepted.turn.id in self.model.turns)
        if not accepted.replayed:
            self.model.accept(accepted.turn.id, session)
        return accepted.turn.id

    @rule(target=claims, turn_id=turns, worker=WORKERS)
    def claim(self, turn_id: str, worker: str) -> Claim | None:
        claim = self.store.claim(turn_id, worker=worker)
        assert (claim is not None) == self.model.can_claim(turn_id)
        if claim:
            expected = [pair for turn in self.model.histories.get(claim.session, []) for pair in _pair(turn)]
            assert [message.decode() for message in claim.messages] == expected
            self.model.claim(turn_id, claim.token, worker)
        return claim

    @rule(target=turns, session=SESSIONS, on_busy=st.sampled_from([OnBusy.INTERRUPT, OnBusy.ROLLBACK]))
    def accept_instead(self, session: str, on_busy: OnBusy) -> str:
        turn = self.store.accept(TurnRequest(session_id=session, input="x", on_busy=on_busy)).turn
        self.model.clear_session(session, keep_running=on_busy is OnBusy.INTERRUPT)
        self.model.accept(turn.id, session)
        return turn.id

    @rule(claim=claims)
    def renew(self, claim: Claim | None) -> None:
        if claim:
            superseded = [(claim.token, Reply.SUPERSEDED)] if self.model.turns[claim.turn_id].superseded else []
            holds = self.model.holds(claim.turn_id, claim.token)
            assert self.store.renew([claim]) == (superseded if holds else [(claim.token, Reply.LOST)])

    @rule(claim=claims)
    def interrupt(self, claim: Claim | None) -> None:
        if claim:
            done = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.INCOMPLETE
            self._write(
                claim,
                lambda: self.store.interrupt(claim, answer_to(claim), tail=""),
                lambda: self.model.interrupt(claim.turn_id),
                allowed=done,
            )

    @rule(claim=claims)
    def release(self, claim: Claim | None) -> None:
        if claim:
            self.store.release(claim.turn_id, token=claim.token)
            if self.model.holds(claim.turn_id, claim.token):
                self.model.release(claim.turn_id)

    @rule(claim=claims)
    def emit(self, claim: Claim | None) -> None:
        if claim:
            holds = self.model.holds(claim.turn_id, claim.token)
            assert self.store.emit([claim.delta(0, "x")]) == ([] if holds else [(claim.token, Reply.LOST)])

    @rule(claim=claims, doubled=st.booleans())
    def commit(self, claim: Claim | None, *, doubled: bool) -> None:
        if claim:
            for _ in range(1 + doubled):
                done = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.COMPLETED
                self._write(
                    claim,
                    lambda: self.store.commit(claim, answer_to(claim), tail=""),
                    lambda: self.model.commit(claim.turn_id),
                    allowed=done,
                )

    @rule(claim=claims)
    def fail(self, claim: Claim | None) -> None:
        if claim:
            failed = self._has_ended_by(claim) and self.model.turns[claim.turn_id].status is Status.FAILED
            self._write(
                claim,
                lambda: self.store.fail(claim, Code.PROVIDER_QUOTA),
                lambda: self.model.fail(claim.turn_id),
                allowed=failed,
            )

    @rule(turn_id=turns)
    def cancel(self, turn_id: str) -> None:
        if self.model.turns[turn_id].erased:
            with pytest.raises(TurnNotFound):
                self.store.cancel(turn_id)
        else:
            self.store.cancel(turn_id)
            self.model.cancel(turn_id)

    @rule(session=SESSIONS)
    def erase(self, session: str) -> None:
        self.sessions.erase(session)
        self.model.erase(session)

    @rule(session=SESSIONS, name=st.sampled_from(["i", "j"]))
    def import_messages(self, session: str, name: str) -> None:
        expected = self.model.import_messages(session, name)
        assert self._imported(session, name) == expected

    @rule(turn_id=turns)
    def expire_lease(self, turn_id: str) -> None:
        """Make the turn due and let a worker rescue it."""
        send_heartbeat(self.server)  # without a gap
        if self.server.raw.zadd(keys.DUE.name, {turn_id: 1}, xx=True, ch=True):
            self.store.rescue(worker="", hint="")
            self.model.expire_lease(turn_id)

    @rule(worker=WORKERS)
    def lose_worker(self, worker: str) -> None:
        assert {turn_id for turn_id, _ in self.store.rescue_worker(worker)} == self.model.lose_worker(worker)

    @invariant()
    def each_turn_is_as_in_the_model(self) -> None:
        kept = {turn_id: turn for turn_id, turn in self.model.turns.items() if not turn.erased}
        for turn_id, expected in kept.items():
            turn = self.store.get_turn(turn_id)
            assert (turn.status, turn.attempt, turn.losses) == (expected.status, expected.attempt, expected.losses)
        assert {turn.id for turn in self.store.list_turns(limit=1000).turns} == set(kept)

    @invariant()
    def history_is_the_committed_pairs_in_order(self) -> None:
        for session in ("a", "b"):
            pairs = [message for turn in self.model.histories.get(session, []) for message in _pair(turn)]
            assert type(self).read_history(session) == pairs

    @invariant()
    def each_live_head_is_in_the_due_index_once(self) -> None:
        due = {turn.decode() for turn in self.server.raw.zrange(keys.DUE.name, 0, -1)}
        assert due == self.model.heads()

    @invariant()
    def live_turns_are_counted(self) -> None:
        live = sum(len(queue) for queue in self.model.queues.values())
        assert self.store.read_health().live_turns == live

    def teardown(self) -> None:
        assert leaked_keys(self.server.raw) == set()

    def _imported(self, session: str, name: str) -> str:
        try:
            imported = self.sessions.import_messages(_messages(name), session_id=session, user_id=None)
        except SessionNotEmpty:
            return "not empty"
        except SessionBusy:
            return "busy"
        return "replayed" if imported.replayed else "imported"

    def _has_ended_by(self, claim: Claim) -> bool:
        turn = self.model.turns[claim.turn_id]
        return turn.status.is_terminal and turn.token == claim.token and not turn.erased

    def _write(
        self, claim: Claim, write: Callable[[], None], then: Callable[[], None], *, allowed: bool = False
    ) -> None:
        """Check that the holder's write takes effect, that its repetition does nothing and that others are refused."""
        if self.model.holds(claim.turn_id, claim.token):
            write()
            then()
        elif allowed:
            write()
        else:
            with pytest.raises(LeaseLost):
                write()


def _messages(name: str) -> list[Message]:
    return [
        Message(number=1, role="user", content=f"{name}?", turn_id=None),
        Message(number=2, role="assistant", content=f"{name}!", turn_id=None),
    ]


def _pair(turn_id: str) -> tuple[str, ...]:
    """Return the messages of a turn, or those that were imported under this name."""
    if not turn_id.startswith("turn_"):
        return tuple(message.to_stored() for message in _messages(turn_id))
    return f'{{"q": "{turn_id}"}}', f'{{"a": "{turn_id}"}}'


@pytest.fixture
def small_cohorts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_loader, "COHORTS", COHORTS)


def test_interleavings(
    server: Server, store_with: Callable[..., TurnStore], sessions: SessionStore, tmp_path: Path
) -> None:
    Interleavings.directory = tmp_path
    Interleavings.server, Interleavings.store = server, store_with(**LIMITS)
    Interleavings.sessions, Interleavings.read_history = sessions, partial(history, server)
    interleave()


def test_interleavings_with_histories_in_files(
    server: Server, client: Client, settings: Settings, tmp_path: Path
) -> None:
    in_files = settings.model_copy(update={**LIMITS, "history": f"file:{tmp_path}"})
    Interleavings.server, Interleavings.store = server, open_turn_store(client, in_files)
    Interleavings.sessions = open_session_store(client, in_files)
    Interleavings.directory = tmp_path
    Interleavings.read_history = partial(read_file_history, server, HistoryFiles(tmp_path))
    interleave()


def read_file_history(server: Server, files: HistoryFiles, session: str) -> list[str]:
    """Return the committed messages of a session, oldest first."""
    count, version = server.raw.hmget(keys.SESSION(session), "messages", "file")
    return [item.decode() for item in files.read_messages(session, (version or b"").decode()) or []][: int(count or 0)]


def interleave() -> None:
    run_state_machine_as_test(
        Interleavings,
        settings=depth(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)),
    )
