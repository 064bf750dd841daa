from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import answer_to
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import SessionChanged
from turns.domain.messages import Message
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
FIRST = TurnRequest(session_id="s", input="hello", if_version=0)


@pytest.fixture(params=["redis", "file"])
def stores(
    request: pytest.FixtureRequest, client: Client, settings: Settings, tmp_path: Path
) -> tuple[TurnStore, SessionStore]:
    history = "redis" if request.param == "redis" else f"file:{tmp_path}"
    chosen = settings.model_copy(update={"history": history})
    return open_turn_store(client, chosen), open_session_store(client, chosen)


def complete(store: TurnStore, turn: Turn) -> None:
    claim = store.claim(turn.id, worker="w", model="m")
    assert claim is not None
    store.commit(claim, answer_to(claim), tail="")


def test_the_version_rises_with_each_commit(stores: tuple[TurnStore, SessionStore]) -> None:
    store, sessions = stores
    versions = []
    for _ in range(3):
        turn = store.accept(TurnRequest(session_id="s", input="hello")).turn
        versions.append(sessions.get_session("s").version)
        complete(store, turn)
    versions.append(sessions.get_session("s").version)
    assert versions == sorted(set(versions))
    [listed] = sessions.list_sessions(after=None, limit=10).sessions
    assert listed.version == versions[-1]


def test_a_turn_is_refused_if_another_was_faster(stores: tuple[TurnStore, SessionStore]) -> None:
    store, sessions = stores
    complete(store, store.accept(FIRST).turn)
    with pytest.raises(SessionChanged):
        store.accept(FIRST)
    assert len(store.list_turns(limit=10).turns) == 1
    version = sessions.get_session("s").version
    assert store.accept(TurnRequest(session_id="s", input="again", if_version=version)).turn.sequence == 2


def test_a_repeated_turn_is_replayed_at_any_version(stores: tuple[TurnStore, SessionStore]) -> None:
    store, _ = stores
    request = TurnRequest(session_id="s", input="hello", idempotency_key="k", if_version=0)
    turn = store.accept(request).turn
    complete(store, turn)
    assert store.accept(request).turn.id == turn.id


def test_a_failed_turn_leaves_the_version(
    accept: Accept, claim: Callable[[Turn], Claim], store: TurnStore, sessions: SessionStore
) -> None:
    store.cancel(accept().id)
    assert sessions.get_session("s").version == 0


def test_imported_messages_raise_the_version(stores: tuple[TurnStore, SessionStore]) -> None:
    _, sessions = stores
    messages = [Message(number=1, role="user", content="hello", turn_id=None)]
    assert sessions.import_messages(messages, session_id="s", user_id=None).session.version > 0
