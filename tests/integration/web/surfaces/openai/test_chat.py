"""Requests for completions, in an app on a real server that has no worker."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.server import Server
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.config.settings import Settings
from turns.domain.content.parts import PartType
from turns.domain.messages import Message
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.app import create_app
from web.surfaces.openai.chat import routes

ASSISTANTS = """
[assistants.default]
accepts = ["text", "image"]

[assistants.plain]
system = "You are a helpful assistant."
"""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SEE = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]
Ask = Callable[..., Turn]


@pytest.fixture
def app(settings: Settings, tmp_path: Any) -> Flask:
    (tmp_path / "assistants.toml").write_text(ASSISTANTS)
    files = {"assistants": tmp_path / "assistants.toml", "files": f"file:{tmp_path / 'kept'}"}
    changed = settings.model_copy(update=files)
    return create_app(changed, AssistantRegistry(changed))


@pytest.fixture
def post(app: Flask) -> Callable[..., Any]:
    numbers = itertools.count()

    def post(contents: tuple[Any, ...], headers: Any = None, **more: Any) -> Any:
        """Send messages, questions and answers alternating. With a key, the turn goes on without its reader."""
        messages = [{"role": ("user", "assistant")[n % 2], "content": one} for n, one in enumerate(contents)]
        body = {"model": "default", "messages": messages, "stream": True, **more}
        sent = {"Idempotency-Key": f"key {next(numbers)}", **(headers or {})}
        return app.test_client().post("/openai/v1/chat/completions", json=body, headers=sent)

    return post


@pytest.fixture
def ask(post: Callable[..., Any], store: TurnStore) -> Ask:
    def ask(*contents: Any, session: str = "", **headers: str) -> Turn:
        """Return the turn of the last message."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = post(contents, {"X-InTurn-Session": session, **named})
        assert response.status_code == 200, response.json
        turn = store.get_turn(response.headers["X-InTurn-Turn"])
        left = response.headers.get("X-InTurn-Forked-From")
        assert left == (session if session and turn.session_id != session else None)
        return turn

    return ask


@pytest.fixture
def answer(claim: Callable[[Turn], Claim], store: TurnStore) -> Callable[[Turn], str]:
    def answer(turn: Turn) -> str:
        """Let the turn complete, and return its answer."""
        claimed, text = claim(turn), f"answer to {turn.input}"
        messages = [("user", turn.input), ("assistant", text)]
        stored = [Message(number=1, role=r, content=c, turn_id=turn.id).to_stored() for r, c in messages]
        done = Answer(question_message=stored[0], answer_message=stored[1], output=text, model="m", usage=None)
        store.commit(claimed, done, tail="")
        return text

    return answer


def test_images_of_the_past_and_the_question_reach_the_worker(ask: Ask, claim: Callable[[Turn], Claim]) -> None:
    claimed = claim(ask(SEE, "a cat", SEE))
    first, second = (json.loads(message)["data"]["content"] for message in claimed.messages)
    assert ([block["type"] for block in first], second) == (["text", "image"], "a cat")
    assert [part.type for part in claimed.parts] == [PartType.TEXT, PartType.IMAGE]
    assert first[1]["file_id"] != claimed.parts[1].file_id


def test_an_image_of_the_past_is_refused_like_one_of_the_question(post: Callable[..., Any]) -> None:
    for contents, field in (((SEE,), "messages.0.content.1.type"), ((SEE, "a", "b"), "messages.0.content.1.type")):
        response = post(contents, model="plain")
        assert (response.status_code, response.json["error"]["param"]) == (400, field)


def test_questions_wait_behind_live_ones_or_join_them(ask: Ask, answer: Callable[[Turn], str]) -> None:
    first = ask("q", session="s")
    assert ask("q", session="s").id == first.id
    said = answer(first)
    second = ask("q", said, "r", session="s")
    assert (second.session_id, second.sequence) == ("s", 2)


def test_branches_have_branches(ask: Ask, answer: Callable[[Turn], str], sessions: SessionStore) -> None:
    said = answer(ask("q", session="s"))
    answer(ask("q", said, "r", session="s"))
    edited = ask("other", session="s")
    assert edited.session_id.startswith("fork-")
    branch = ("other", answer(edited), "more")
    deeper = ask(*branch[:1], "an answer from elsewhere", "more", session="s")
    assert len({"s", edited.session_id, deeper.session_id}) == 3
    assert ask(*branch, session="s").session_id == edited.session_id
    assert ask(*branch[:1], "an answer from elsewhere", "more", session="s").id == deeper.id
    assert sessions.get_session("s").message_count == 4


def test_a_turn_whose_record_is_gone_is_not_regenerated(
    ask: Ask, answer: Callable[[Turn], str], server: Server
) -> None:
    turn = ask("q", session="s")
    answer(turn)
    server.raw.delete(keys.TURN(turn.id))
    assert ask("q", session="s").session_id != "s"


def test_a_repeated_key_finds_its_turn_whatever_followed(ask: Ask, answer: Callable[[Turn], str]) -> None:
    first = ask("q", session="s", Idempotency_Key="k")
    said = answer(first)
    answer(ask("q", said, "r", session="s"))
    assert ask("q", session="s", Idempotency_Key="k").id == first.id


def test_a_held_request_can_be_repeated_until_its_answer(
    post: Callable[..., Any], store: TurnStore, answer: Callable[[Turn], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "HELD_SECONDS", 0)
    key = {"Idempotency-Key": "k"}
    held = post(("q",), key, stream=False)
    assert (held.status_code, held.json["error"]["code"]) == (504, "still_running")
    assert "x-should-retry" not in held.headers
    said = answer(store.get_turn(held.headers["X-InTurn-Turn"]))
    assert post(("q",), key, stream=False).json["choices"][0]["message"]["content"] == said
    assert post(("other",), key, stream=False).status_code == 422


def test_instructions_are_for_one_turn_of_a_session(post: Callable[..., Any], store: TurnStore, claim: Any) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "q"}]
    response = post((), {"X-InTurn-Session": "s"}, messages=messages)
    claimed = claim(store.get_turn(response.headers["X-InTurn-Turn"]))
    assert (claimed.instructions, claimed.messages, claimed.stands_alone) == ("Be brief.", (), False)


def test_a_past_with_images_begins_no_session(post: Callable[..., Any]) -> None:
    response = post((SEE, "a", "b"), {"X-InTurn-Session": "s"})
    error = response.json["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", "messages.0.content")
