import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from turns.config.logs import Log, bind, bound, configure_logs, get_logger
from turns.config.settings import Settings

Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Configure logging to write to a buffer, and undo that at the end of the test."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]

    def configure(log_format: str = "json", log_level: str = "info", stream: Any = None) -> io.StringIO:
        _reset()
        buffer = stream or io.StringIO()
        monkeypatch.setattr(sys, "stderr", buffer)
        configure_logs(Settings(log_format=log_format, log_level=log_level))
        return buffer

    yield configure
    _reset()
    root.level, root.handlers = before


def _reset() -> None:
    bind()
    structlog.reset_defaults()
    get_logger.cache_clear()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(entry) for entry in stream.getvalue().splitlines()]


def recurse(frames: int) -> None:
    if not frames:
        raise ValueError("the bottom")
    recurse(frames - 1)


def test_a_line_has_event_fields_level_and_time(configure: Configure) -> None:
    stream = configure()
    get_logger().info(Log.TURN_ACCEPTED, turn_id="turn_1", replayed=False)
    [entry] = lines(stream)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "turn.accepted", "turn_id": "turn_1", "replayed": False, "level": "info"}


def test_a_line_that_cannot_be_written_is_dropped(configure: Configure) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:
        configure(stream=stream)
        get_logger().error(Log.LOOP_BROKEN)
    closed = io.StringIO()
    closed.close()
    configure(stream=closed)
    get_logger().error(Log.LOOP_BROKEN)


def test_a_reader_that_stops_reading_stops_nothing(configure: Configure) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as pipe, open(writer, "w") as stream:
        configure(stream=stream)
        for number in range(20_000):
            get_logger().error(Log.LOOP_BROKEN, number=number)
        logging.getLogger("library").error("x" * 2_000_000)
        received = pipe.read(2_000_000)
        get_logger().error(Log.LOOP_BROKEN, number=-1)
        received += pipe.read(2_000_000)
    entries = [json.loads(line) for line in received.decode().splitlines()]
    kept = [entry for entry in entries if entry["event"] == "loop.broken"]
    [dropped] = [entry["lines"] for entry in entries if entry["event"] == "logs.dropped"]
    assert kept[-1]["number"] == -1
    assert len(kept) - 1 + dropped == 20_001


def test_events_below_the_level_are_not_written(configure: Configure) -> None:
    stream = configure(log_level="warning")
    get_logger().info(Log.TURN_ACCEPTED)
    get_logger().warning(Log.STORE_UNAVAILABLE)
    get_logger().error(Log.ASSISTANTS_REFUSED)
    assert [entry["event"] for entry in lines(stream)] == ["store.unavailable", "assistants.refused"]


def test_bound_ids_are_on_each_line_until_unbound(configure: Configure) -> None:
    stream = configure()
    bind(request_id="r1")
    with bound(turn_id="t1"):
        get_logger().info(Log.TURN_CLAIMED)
    get_logger().info(Log.TURN_RELEASED)
    bind(request_id="r2")
    get_logger().info(Log.TURN_ACCEPTED, request_id="its own")
    ids = [(entry.get("request_id"), entry.get("turn_id")) for entry in lines(stream)]
    assert ids == [("r1", "t1"), ("r1", None), ("its own", None)]


def test_an_exception_has_its_cause_but_no_variables(configure: Configure) -> None:
    stream = configure()
    message_text = "what the user said"
    try:
        try:
            raise ValueError("the cause")
        except ValueError as error:
            raise KeyError("the effect") from error
    except KeyError:
        get_logger().exception(Log.REQUEST_BROKEN)
    [entry] = lines(stream)
    effect, cause = entry["exception"]
    assert (effect["exc_type"], cause["exc_type"], cause["exc_value"]) == ("KeyError", "ValueError", "the cause")
    assert (effect["is_cause"], cause["is_cause"]) == (False, True)
    assert effect["frames"][-1]["name"] == sys._getframe().f_code.co_name
    assert message_text not in json.dumps(entry)


def test_an_exception_that_is_its_own_cause_is_logged_once(configure: Configure) -> None:
    stream = configure()
    try:
        error = ValueError("round and round")
        raise error from error
    except ValueError:
        get_logger().exception(Log.REQUEST_BROKEN)
    assert [len(entry["exception"]) for entry in lines(stream)] == [1]


def test_each_exception_of_a_group_is_logged(configure: Configure) -> None:
    stream = configure()
    try:
        raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])
    except ExceptionGroup:
        get_logger().exception(Log.REQUEST_BROKEN)
    [[group]] = [entry["exception"] for entry in lines(stream)]
    assert [[part["exc_type"] for part in chain] for chain in group["exceptions"]] == [["ValueError"], ["KeyError"]]


def test_a_deep_recursion_is_logged_with_few_frames(configure: Configure) -> None:
    stream = configure()
    try:
        recurse(200)
    except ValueError:
        get_logger().exception(Log.REQUEST_BROKEN)
    [[exception]] = [entry["exception"] for entry in lines(stream)]
    names = [frame["name"] for frame in exception["frames"]]
    assert len(names) < 60
    assert names[-1] == "recurse"


def test_records_of_libraries_have_the_same_format(configure: Configure) -> None:
    stream = configure()
    library = logging.getLogger("library")
    with bound(turn_id="t1"):
        library.info("hello %s", "there", extra={"more": 1})
    try:
        raise ValueError("broken")
    except ValueError:
        library.exception("lost")
    hello, lost = lines(stream)
    assert hello.pop("timestamp").endswith("Z")
    assert hello == {"event": "hello there", "level": "info", "more": 1, "turn_id": "t1"}
    assert (lost["level"], lost["exception"][0]["exc_value"]) == ("error", "broken")


def test_a_value_unknown_to_json_is_logged_as_its_repr(configure: Configure) -> None:
    stream = configure()
    logging.getLogger("library").info("x", extra={"more": {1}})
    assert [entry["more"] for entry in lines(stream)] == ["{1}"]


@pytest.mark.parametrize(
    "secret", ["sk-abc", "inturn_abc", "Bearer abc", '"Bearer abc"', "Bearer abc\n", r"Bearer abc\x"]
)
def test_a_key_is_redacted_and_the_line_stays_valid(configure: Configure, secret: str) -> None:
    stream = configure()
    logging.getLogger("library").info("refused: %s", secret)
    [entry] = lines(stream)
    assert "abc" not in entry["event"]
    assert "…" in entry["event"]


def test_the_console_has_colours_and_a_plain_traceback(configure: Configure) -> None:
    stream = configure("console")
    message_text = "what the user said"
    try:
        recurse(1)
    except ValueError:
        get_logger().exception(Log.REQUEST_BROKEN, error="two words", code="sk-abc")
    first, *traceback = stream.getvalue().splitlines()
    assert "\033[31m\033[1merror    \033[0m" in first
    assert "\033[1mrequest.broken" in first
    assert first.endswith("\033[36mcode\033[0m=\033[35m…\033[0m \033[36merror\033[0m=\033[35m'two words'\033[0m")
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "ValueError: the bottom"
    assert message_text not in stream.getvalue()
