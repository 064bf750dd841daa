"""The command at a terminal."""

import re

from inturn import Client
from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn

SLOWLY = "[words 400] [pace 0.05]"
COLOURS = re.compile(r"\x1b\[(2|22|3\d|4\d|9\d)m")


def test_chat_asks_for_missing_variables_and_streams(inturn: Inturn, client: Client) -> None:
    chat = inturn.at_terminal("chat", "-s", "talk", "-a", "example")
    chat.wait_for("ability (Subject, such as math): ")
    chat.type("math\n")
    chat.wait_for("/help")
    chat.type("hello\n")
    chat.wait_for("answer to hello")
    chat.type("/history\n")
    chat.wait_for("< answer to hello")
    chat.type("/help\n")
    chat.wait_for("Ctrl-D")
    chat.type("\x04")
    assert chat.wait_for_end() == Exit.OK
    assert client.sessions.get("talk").message_count == 2


def test_ctrl_c_in_chat_cancels_the_turn_and_the_chat_continues(inturn: Inturn, client: Client) -> None:
    chat = inturn.at_terminal("chat", "-s", "cancelled")
    chat.wait_for("> ")
    chat.type(f"slowly {SLOWLY}\n")
    chat.wait_for("word3")
    chat.press_ctrl_c()
    chat.wait_for("Cancelled.")
    assert [turn.status for turn in client.turns.list(session_id="cancelled")] == ["cancelled"]
    chat.type("hello\n")
    chat.wait_for("answer to hello")
    chat.wait_for_prompt()
    chat.press_ctrl_c()
    assert chat.wait_for_end() == Exit.OK, "Ctrl-C without a running turn leaves the chat"
    assert client.sessions.get("cancelled").message_count == 2


def test_chat_continues_the_last_session(inturn: Inturn) -> None:
    assert inturn("send", "one", "-s", "again").returncode == Exit.OK
    chat = inturn.at_terminal("chat", "-c")
    chat.wait_for("Session again.")
    chat.type("/history\n")
    chat.wait_for("< answer to one")
    chat.type("/quit\n")
    assert chat.wait_for_end() == Exit.OK


def test_a_refused_turn_does_not_end_the_chat(inturn: Inturn, client: Client) -> None:
    client.turns.create("busy", f"first {SLOWLY}")
    chat = inturn.at_terminal("chat", "-s", "busy", "--on-busy", "reject")
    chat.wait_for("> ")
    chat.type("second\n")
    chat.wait_for("session_busy")
    chat.type("/new\n")
    chat.wait_for("Session cli-")
    chat.type("third\n")
    chat.wait_for("answer to third")
    chat.type("/quit\n")
    assert chat.wait_for_end() == Exit.OK
    client.sessions.delete("busy")


def test_control_characters_are_not_written_to_a_terminal(inturn: Inturn) -> None:
    send = inturn.at_terminal("send", "harm\x1b]0;owned\x07less \x9b31m")
    send.wait_for("harm\ufffd]0;owned\ufffdless \ufffd31m")
    assert send.wait_for_end() == Exit.OK
    assert "\x1b]0;" not in send.raw
    assert inturn("send", "harm\x1b]0;x").stdout.startswith("answer to harm\x1b]0;x"), (
        "a script gets the unchanged text"
    )


def test_no_color_disables_colours(inturn: Inturn) -> None:
    inturn.environment["NO_COLOR"] = "1"
    for arguments in (("turns", "ls"), ("send", "hello"), ("get", "nonsense")):
        shown = inturn.at_terminal(*arguments)
        shown.wait_for_end()
        assert not COLOURS.search(shown.raw)


def test_top_shows_the_service_until_ctrl_c(inturn: Inturn, client: Client) -> None:
    turn = client.turns.create("watched", f"secret {SLOWLY}")
    top = inturn.at_terminal("top")
    top.wait_for("running 1")
    top.wait_for("workers 1")
    top.wait_for("TENANT")
    top.wait_for("working")
    top.press_ctrl_c()
    assert top.wait_for_end() == Exit.OK
    assert "secret" not in top.screen
    turn.cancel()


def test_erasing_asks_for_confirmation(inturn: Inturn, client: Client) -> None:
    client.turns.create("asked", "hello").wait()
    rm = inturn.at_terminal("sessions", "rm", "asked")
    rm.wait_for("Erase asked?")
    rm.type("n\n")
    assert rm.wait_for_end() == Exit.INTERRUPTED
    assert client.sessions.get("asked").message_count == 2
