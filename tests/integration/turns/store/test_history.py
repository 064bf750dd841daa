"""Tests that LangChain's own class reads the messages of turns, and that turns continue its messages."""

import json
import warnings
from collections.abc import Callable

import pytest
from langchain_community.chat_message_histories import RedisChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage

from tests.integration.conftest import history
from tests.support.server import Server
from turns.backend import keys
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from worker.langchain.chain import ChainRun, build_chain
from worker.provider.models import build_model

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


@pytest.fixture
def run(store: TurnStore, claim: ClaimTurn, accept: Accept, settings: Settings) -> Callable[[str], Turn]:
    """Return a function that accepts a turn and runs it through the real chain with the offline model."""
    chain = build_chain(DEFAULT, build_model(settings))

    def run(text: str) -> Turn:
        turn = accept(text)
        claimed = claim(turn)
        attempt = ChainRun(chain, claimed)
        streamed = "".join(attempt.deltas())
        answer = attempt.answer()
        assert answer.output == streamed
        store.commit(claimed, answer, tail="")
        return store.get_turn(turn.id)

    return run


@pytest.fixture
def stock(server: Server) -> Callable[[], RedisChatMessageHistory]:
    return lambda: RedisChatMessageHistory("s", url=server.url)


def test_the_stock_class_reads_what_turns_wrote(
    run: Callable[[str], Turn], stock: Callable[[], RedisChatMessageHistory]
) -> None:
    first, second = run("What does cosine mean?"), run("And its inverse?")
    reader = stock()
    messages = reader.messages
    reader.redis_client.close()
    assert [type(message) for message in messages] == [HumanMessage, AIMessage, HumanMessage, AIMessage]
    assert [message.content for message in messages] == [first.input, first.output, second.input, second.output]
    assert second.output is not None
    assert "What does cosine mean?" in second.output, "the first turn is in the history of the second"


def test_turns_continue_what_the_stock_class_wrote(
    run: Callable[[str], Turn], stock: Callable[[], RedisChatMessageHistory]
) -> None:
    writer = stock()
    writer.add_messages([HumanMessage("before InTurn"), AIMessage("yes")])
    turn = run("and now?")
    assert turn.output is not None
    assert "before InTurn" in turn.output
    assert [message.content for message in writer.messages] == ["before InTurn", "yes", "and now?", turn.output]
    writer.redis_client.close()


def test_a_stored_message_has_the_stock_layout(run: Callable[[str], Turn], server: Server) -> None:
    turn = run("hello")
    question, answer = map(json.loads, history(server))
    assert question == {"type": "human", "data": {"content": "hello"}}
    assert (answer["type"], answer["data"]["content"], answer["data"]["id"]) == ("ai", turn.output, f"{turn.id}_ai")


def test_one_unreadable_message_costs_one_message(run: Callable[[str], Turn], server: Server) -> None:
    """The stock class would fail on every later turn of the session."""
    run("first")
    for item in (b"not json", b"\xff", b"null", b"{}", b'{"type": "martian", "data": {}}', b'{"type": "human"}'):
        server.raw.lpush(keys.HISTORY("s"), item)
    output = run("second").output
    assert output is not None
    assert "first" in output


def test_the_web_process_reads_the_same_history(
    run: Callable[[str], Turn], sessions: SessionStore, server: Server
) -> None:
    first = run("one")
    server.raw.lpush(keys.HISTORY("s"), b"not json")
    second = run("two")
    page = sessions.list_messages("s", after=None, limit=3, newest_first=False)
    assert [(m.number, m.role, m.content, m.turn_id) for m in page.messages] == [
        (1, "user", "one", first.id),
        (2, "assistant", first.output, first.id),
    ]
    assert page.after == 3
    rest = sessions.list_messages("s", after=page.after, limit=3, newest_first=False)
    assert [m.turn_id for m in rest.messages] == [second.id, second.id]
    assert rest.after is None
    newest = sessions.list_messages("s", after=None, limit=2, newest_first=True)
    assert [m.number for m in newest.messages] == [5, 4]
    for newest_first, after in ((False, None), (True, 2)):  # a page whose newest message is a question
        [question] = sessions.list_messages("s", after=after, limit=1, newest_first=newest_first).messages
        assert (question.number, question.turn_id) == (1, first.id)
    assert newest.after == 4


def test_no_warning_of_langchain_reaches_the_operator(settings: Settings) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build_chain(DEFAULT, build_model(settings))
    assert caught == []


@pytest.mark.parametrize(
    "foreign",
    [
        r'{"type": "human", "data": {"content": "half \ud800", "type": "human"}}',
        r'{"type": "human", "data": {"content": "hello", "type": "human"}, "turn": 5}',
        r'{"type": "human", "data": {"content": "hello", "type": "human"}, "turn": "\ud800"}',
    ],
)
def test_an_unreadable_message_costs_no_other(
    run: Callable[[str], Turn], sessions: SessionStore, server: Server, foreign: str
) -> None:
    server.raw.lpush(keys.HISTORY("s"), foreign)
    turn = run("hello")
    page = sessions.list_messages("s", after=None, limit=10, newest_first=False)
    assert [message.turn_id for message in page.messages][-2:] == [turn.id] * 2
    assert {message.turn_id for message in page.messages[:-2]} <= {None}


def test_a_page_from_beyond_the_end_begins_at_the_end(run: Callable[[str], Turn], sessions: SessionStore) -> None:
    run("hello")
    page = sessions.list_messages("s", after=1_000_000, limit=10, newest_first=True)
    assert [message.number for message in page.messages] == [2, 1]
    assert page.after is None
