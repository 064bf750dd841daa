"""Streaming with the client: the reader gets the exact answer whatever happens to the connections."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inturn import Client, Delta, Done, Reset, Snapshot, StatusChanged, Turn
from tests.acceptance.inturn.stream_cutting_proxy import stream_cutting_proxy
from tests.support.processes import Stack

SLOWLY = "[words 60] [pace 0.03]"


class TextReader:
    """A reader that joins the text of the events."""

    def __init__(self) -> None:
        self.text = ""
        self.resets: list[str] = []
        self.turn: Turn | None = None

    def add(self, event: Any) -> None:
        match event:
            case Delta(text):
                self.text += text
            case Reset(reason):
                self.text = ""
                self.resets.append(reason)
            case Done(turn):
                self.turn = turn

    def add_all(self, events: Iterator[Any]) -> None:
        for event in events:
            self.add(event)


def test_an_answer_arrives_in_pieces_and_then_the_turn(client: Client) -> None:
    turn = client.turns.create("s", f"hello {SLOWLY}")
    events = list(turn.stream())
    reader = TextReader()
    reader.add_all(iter(events))
    assert isinstance(events[0], StatusChanged)
    assert sum(isinstance(event, Delta) for event in events) > 5
    assert reader.turn == client.turns.get(turn.id)
    assert reader.text == reader.turn.text


@pytest.mark.parametrize("odd", ["\u2028", "\u0085", "\x0b", "\r", "😀", "data: x"])
def test_unusual_characters_do_not_split_a_piece(client: Client, odd: str) -> None:
    """Some libraries treat each of these characters as a line end."""
    reader = TextReader()
    reader.add_all(client.turns.create("odd", f"a{odd}b").stream())
    assert f"a{odd}b" in reader.text


def test_an_ended_turn_is_streamed_from_the_beginning(client: Client) -> None:
    turn = client.turns.create("ended", "hello").wait()
    reader = TextReader()
    reader.add_all(turn.stream())
    assert (reader.text, reader.turn) == (turn.text, turn)


def test_a_session_is_streamed_until_it_is_idle(client: Client) -> None:
    turns = [client.turns.create("session", f"{n} {SLOWLY}") for n in range(2)]
    readers = {turn.id: TextReader() for turn in turns}
    cursor = None
    for sent in client.sessions.stream("session", until_idle=True):
        if isinstance(sent.event, Snapshot):
            readers[turns[0].id].text = sent.event.text
        readers[sent.turn_id].add(sent.event) if sent.turn_id else None
        if isinstance(sent.event, Done) and sent.turn_id == turns[0].id:
            cursor = sent.id
            break  # as if this program had ended here
    for sent in client.sessions.stream("session", after=cursor, until_idle=True):
        readers[sent.turn_id].add(sent.event) if sent.turn_id else None
    for turn in turns:
        assert readers[turn.id].turn == client.turns.get(turn.id)
        assert readers[turn.id].text == client.turns.get(turn.id).text


def test_a_restarted_web_process_goes_unnoticed(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    reader = TextReader()
    with Client(stack.url) as client:
        restarts = 0
        for event in client.turns.create("s", f"hello {SLOWLY}").stream():
            reader.add(event)
            if restarts < 2 and len(reader.text) > 40 * (restarts + 1):
                stack.web.kill()
                stack.web = stack.start_web()
                restarts += 1
    assert restarts == 2
    assert reader.turn
    assert (reader.text, reader.resets) == (reader.turn.text, [])


def test_a_long_poll_follows_repeatedly_broken_streams(stack: Stack) -> None:
    with stream_cutting_proxy(stack.url) as url, Client(url, max_retries=0) as client:
        turn = client.turns.create("short", "hello [gate short]")
        events = turn.stream()
        assert isinstance(next(events), StatusChanged)
        stack.open_gate("short")
        assert list(events) == [Delta(turn.wait().text), Done(turn.wait())]
