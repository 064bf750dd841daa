"""One chat whose turns are accepted, run and regenerated, with its history."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.edits.copies import HistoryCopies
from turns.edits.deletion import Deletion
from turns.edits.forks import Forked, Forks, Source
from turns.edits.placement import ForkPlacement
from turns.edits.regeneration import Changes, Origin, Regeneration
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore


@dataclass
class Chat:
    store: TurnStore
    sessions: SessionStore
    regeneration: Regeneration
    forks: Forks
    deletion: Deletion

    def accept(self, text: str = "hello", *, session_id: str = "s", **more: Any) -> Turn:
        return self.store.accept(TurnRequest(session_id=session_id, input=text, **more)).turn

    def claim(self, turn: Turn) -> Claim:
        claimed = self.store.claim(turn.id, worker="w")
        assert claimed is not None
        return claimed

    def complete(self, text: str = "hello", answer: str = "hi") -> str:
        """Accept a turn and commit it; return its id."""
        return self.run(self.accept(text), answer)

    def run(self, turn: Turn, answer: str = "hi") -> str:
        """Run a turn that is the head of its session; return its id."""
        claimed = self.claim(turn)
        self.store.commit(claimed, answer_of(claimed, answer), tail="")
        return turn.id

    def regenerate(self, turn_id: str, *, key: str | None = None, **changes: Any) -> Turn:
        names = {"tenant": DEFAULT_TENANT, "if_version": None}
        origin = Origin(idempotency_key=key, **{name: changes.pop(name, default) for name, default in names.items()})
        return self.regeneration.regenerate(turn_id, Changes(**changes), origin).turn

    def fork(self, into: str | None = None, *, key: str | None = None, session_id: str = "s", **where: Any) -> Forked:
        return self.forks.fork(Source(session_id=session_id, user_id=None, **where), into, idempotency_key=key)

    def delete(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> None:
        self.deletion.delete(turn_id, tenant=tenant)

    def status(self, turn_id: str) -> tuple[Status, str | None]:
        """Return the status of a turn, and why it failed."""
        turn = self.store.get_turn(turn_id)
        return turn.status, turn.error_code

    def history(self, session_id: str = "s") -> list[str]:
        """Return the texts of the committed messages, oldest first."""
        page = self.sessions.list_messages(session_key(session_id, None), after=None, limit=100, newest_first=False)
        return [message.content for message in page.messages]

    @property
    def version(self) -> int:
        return self.sessions.get_session("s").version


@pytest.fixture(params=["redis", "file"])
def chat(request: pytest.FixtureRequest, store: TurnStore, chat_with: Callable[..., Chat], tmp_path: Path) -> Chat:
    """Return a chat with each kind of history; `store` is there for its check of what is left."""
    return chat_with(history=f"file:{tmp_path}" if request.param == "file" else "redis")


@pytest.fixture
def chat_with(client: Client, settings: Settings) -> Callable[..., Chat]:
    """Return a function that creates a chat with other settings."""

    def chat_with(**changes: Any) -> Chat:
        changed = settings.model_copy(update=changes)
        store, sessions = open_turn_store(client, changed), open_session_store(client, changed)
        shared = HistoryCopies(client, changed), ForkPlacement(client, changed)
        regeneration = Regeneration(store, sessions, *shared, lambda name: Assistant(name=name))
        return Chat(store, sessions, regeneration, Forks(client, changed, store, *shared), Deletion(store, *shared))

    return chat_with


def answer_of(claim: Claim, text: str) -> Answer:
    """Return the stored form of a turn's messages; without a text only the question."""
    return Answer(
        question_message=stored("human", claim.input, claim.turn_id),
        answer_message=stored("ai", text, claim.turn_id) if text else "",
        output=text,
        model="m",
        usage=None,
    )


def with_tool(answer: Answer, claim: Claim) -> Answer:
    return replace(answer, between_messages=(stored("tool", "3", claim.turn_id),) * 2)


def stored(kind: str, text: str, turn_id: str) -> str:
    return f'{{"type": "{kind}", "data": {{"content": "{text}", "type": "{kind}"}}, "turn": "{turn_id}"}}'
