"""Tests of turns that stand alone: they bring their own past, and leave no session behind."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.leaks import leaked_keys
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.content.parts import Part, PartType
from turns.domain.error_codes import Code
from turns.domain.errors import FileNotFound, SessionNotFound, TurnNotCommitted, TurnNotFound
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.messages import Message
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.file_history.files import HistoryFiles
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.usage.store import UsageStore
from turns.users.erasures import UserErasures

PAST = (
    Message(number=1, role="user", content="My name is Ada.", turn_id=None),
    Message(number=2, role="assistant", content="Hello\nAda é\u2028", turn_id=None),
)
ALONE: dict[str, Any] = {"session_id": "alone", "past": PAST, "instructions": "Be brief."}


@pytest.fixture(params=["redis", "file"])
def own_settings(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Settings:
    if request.param == "redis":
        return settings
    HistoryFiles(tmp_path / "histories").prepare()
    return settings.model_copy(update={"history": f"file:{tmp_path / 'histories'}"})


@pytest.fixture
def store(server: Server, client: Client, own_settings: Settings) -> Iterator[TurnStore]:
    yield open_turn_store(client, own_settings)
    assert leaked_keys(server.raw) == set()


@pytest.fixture
def sessions(client: Client, own_settings: Settings) -> SessionStore:
    return open_session_store(client, own_settings)


@pytest.fixture
def run(store: TurnStore, claim: Callable[[Turn], Claim]) -> Callable[[Turn], Claim]:
    def run(turn: Turn) -> Claim:
        claimed = claim(turn)
        answer = Answer(question_message="{}", answer_message="{}", output="Ada", model="m", usage=None)
        store.commit(claimed, answer, tail="")
        return claimed

    return run


def test_the_worker_gets_the_past_as_it_was_sent(
    store: TurnStore, accept: Callable[..., Turn], run: Callable[[Turn], Claim]
) -> None:
    claim = run(accept(**ALONE))
    assert claim.stands_alone
    assert [Message.from_stored(n, item) for n, item in enumerate(claim.messages, start=1)] == [*PAST]
    assert claim.instructions == "Be brief."
    turn = store.get_turn(claim.turn_id)
    assert (turn.status, turn.output, turn.message_numbers) == (Status.COMPLETED, "Ada", None)
    assert run(accept(**{**ALONE, "session_id": "other", "past": ()})).messages == ()


def test_it_leaves_no_session_behind(
    server: Server, sessions: SessionStore, accept: Callable[..., Turn], run: Callable[[Turn], Claim]
) -> None:
    run(accept(**ALONE, user_id="ada"))
    assert sessions.list_user_names("ada", limit=10) == []
    with pytest.raises(SessionNotFound):
        sessions.get_session(session_key("alone", "ada"))
    session = session_key("alone", "ada")
    assert not server.raw.exists(keys.SESSION(session), keys.HISTORY(session))
    assert server.raw.zcard(keys.SESSIONS(DEFAULT_TENANT)) == 0
    assert server.raw.zcard(keys.SESSION_TURNS(session)) == 1  # so that it can be erased


def test_only_a_failed_turn_keeps_its_past_for_a_retry(
    server: Server, store: TurnStore, accept: Callable[..., Turn], claim: Callable[[Turn], Claim], run: Any
) -> None:
    turn = accept(**ALONE)
    store.fail(claim(turn), Code.PROVIDER_ERROR)
    again = store.retry_failed(turn.id, find=lambda _: DEFAULT).turn
    assert run(again).messages == tuple(message.to_stored().encode() for message in PAST)
    assert [server.raw.hexists(keys.TURN(one.id), "past") for one in (turn, again)] == [True, False]
    cancelled = accept(**{**ALONE, "session_id": "cancelled"})
    store.cancel(cancelled.id)
    assert not server.raw.hexists(keys.TURN(cancelled.id), "past")


def test_it_can_be_stopped_with_its_partial_answer(
    store: TurnStore, accept: Callable[..., Turn], claim: Callable[[Turn], Claim]
) -> None:
    turn = accept(**ALONE)
    claimed = claim(turn)
    store.cancel(turn.id, keeps=True)
    store.interrupt(
        claimed, Answer(question_message="{}", answer_message="{}", output="A", model="m", usage=None), tail="A"
    )
    ended = store.get_turn(turn.id)
    assert (ended.status, ended.output, ended.message_numbers) == (Status.INCOMPLETE, "A", None)


def test_an_ordinary_turn_behind_it_begins_the_session(
    sessions: SessionStore, accept: Callable[..., Turn], run: Callable[[Turn], Claim], store: TurnStore
) -> None:
    alone, ordinary = accept(**ALONE), accept(session_id="alone")
    run(alone)
    assert store.get_turn(ordinary.id).status is Status.QUEUED
    run(ordinary)
    session = sessions.get_session("alone")
    assert (session.message_count, session.title) == (2, "hello")


def test_a_session_that_exists_expires_after_it(
    server: Server, accept: Callable[..., Turn], run: Callable[[Turn], Claim]
) -> None:
    ordinary = accept(session_id="alone")
    alone = accept(**ALONE)
    run(ordinary)
    run(alone)
    assert server.raw.pttl(keys.SESSION(session_key("alone"))) > 0


def test_the_digest_of_the_body_decides_about_a_repeated_key(store: TurnStore) -> None:
    first, again = (
        store.accept(TurnRequest(input="?", **{**ALONE, "session_id": name}, idempotency_key="k", body_digest="d"))
        for name in ("one", "two")
    )
    assert (again.replayed, again.turn.id) == (True, first.turn.id)


def test_files_of_the_past_must_exist(store: TurnStore) -> None:
    picture = Part(type=PartType.IMAGE, file_id="file_" + "0" * 32, media_type="image/png")
    with_picture = Message(number=1, role="user", content="[image]", turn_id=None, parts=(picture,))
    with pytest.raises(FileNotFound):
        store.accept(TurnRequest(input="?", **{**ALONE, "past": (with_picture,)}))


def test_it_cannot_be_regenerated(store: TurnStore, accept: Callable[..., Turn], run: Callable[[Turn], Claim]) -> None:
    turn = accept(**ALONE)
    run(turn)
    with pytest.raises(TurnNotCommitted):
        store.accept(TurnRequest(session_id="alone", input="?", regenerates=turn.id))


def test_it_is_erased_with_its_user(
    client: Client,
    own_settings: Settings,
    store: TurnStore,
    sessions: SessionStore,
    accept: Callable[..., Turn],
) -> None:
    turn, other = accept(**ALONE, user_id="ada"), accept(**ALONE, user_id="bob")
    usage = UsageStore(client, own_settings)
    receipt = UserErasures(client, sessions, store, usage).erase("ada", seconds=10)
    assert (receipt.is_complete, receipt.turns) == (True, 1)
    with pytest.raises(TurnNotFound):
        store.get_turn(turn.id)
    assert store.get_turn(other.id).status is Status.QUEUED
