import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from turns.config.log_lines import MOST_FRAMES, to_colours, to_json
from turns.config.logs import Log, Logger, OfLibraries, bind, bound


@pytest.fixture(autouse=True)
def _nothing_is_bound() -> Iterator[None]:
    bind()
    yield
    bind()


def written(logger: Logger) -> list[dict[str, Any]]:
    assert isinstance(logger.stream, io.StringIO)
    return [json.loads(line) for line in logger.stream.getvalue().splitlines()]


def of_a_library(message: str, *arguments: object, level: int = logging.INFO, **more: Any) -> dict[str, Any]:
    exception = more.pop("exc_info", None)
    record = logging.getLogger("lib").makeRecord("lib", level, "lib.py", 1, message, arguments, exception, extra=more)
    line: dict[str, Any] = json.loads(OfLibraries(to_json).format(record))
    return line


def deep(frames: int) -> None:
    if not frames:
        raise ValueError("the bottom")
    deep(frames - 1)


def test_a_line_is_the_event_its_fields_its_level_and_its_time() -> None:
    logger = Logger(io.StringIO(), to_json)
    logger.info(Log.TURN_ACCEPTED, turn_id="turn_1", replayed=False)
    [line] = written(logger)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "turn.accepted", "turn_id": "turn_1", "replayed": False, "level": "info"}


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else_is() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with suppress(BrokenPipeError), open(writer, "w", buffering=1) as stream:
        Logger(stream, to_json).error(Log.LOOP_BROKEN)
        with pytest.raises(BrokenPipeError):
            stream.flush()
    Logger(stream, to_json).error(Log.LOOP_BROKEN)  # it is closed


def test_what_is_below_the_level_is_not_written() -> None:
    logger = Logger(io.StringIO(), to_json, logging.WARNING)
    logger.info(Log.TURN_ACCEPTED)
    logger.warning(Log.STORE_UNAVAILABLE)
    logger.error(Log.ASSISTANTS_REFUSED)
    assert [line["event"] for line in written(logger)] == ["store.unavailable", "assistants.refused"]


def test_bound_ids_are_on_each_line_until_they_are_not_bound_any_more() -> None:
    logger = Logger(io.StringIO(), to_json)
    bind(request_id="r1")
    with bound(turn_id="t1"):
        logger.info(Log.TURN_CLAIMED)
    logger.info(Log.TURN_RELEASED)
    bind(request_id="r2")
    logger.info(Log.TURN_ACCEPTED, request_id="its own")
    ids = [(line.get("request_id"), line.get("turn_id")) for line in written(logger)]
    assert ids == [("r1", "t1"), ("r1", None), ("its own", None)]


def test_an_exception_comes_with_its_cause_and_without_values_of_variables() -> None:
    logger = Logger(io.StringIO(), to_json)
    said = "what the user said"
    try:
        try:
            raise ValueError("the cause")
        except ValueError as error:
            raise KeyError("the effect") from error
    except KeyError:
        logger.exception(Log.REQUEST_BROKEN)
    [line] = written(logger)
    effect, cause = line["exception"]
    assert (effect["exc_type"], cause["exc_type"], cause["exc_value"]) == ("KeyError", "ValueError", "the cause")
    assert (effect["is_cause"], cause["is_cause"]) == (False, True)
    assert effect["frames"][-1]["name"] == sys._getframe().f_code.co_name
    assert said not in json.dumps(line)


def test_an_exception_that_is_its_own_cause_is_told_once() -> None:
    logger = Logger(io.StringIO(), to_json)
    try:
        error = ValueError("round and round")
        raise error from error
    except ValueError:
        logger.exception(Log.REQUEST_BROKEN)
    assert [len(line["exception"]) for line in written(logger)] == [1]


def test_of_a_group_each_exception_is_told() -> None:
    logger = Logger(io.StringIO(), to_json)
    try:
        raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])
    except ExceptionGroup:
        logger.exception(Log.REQUEST_BROKEN)
    [[group]] = [line["exception"] for line in written(logger)]
    assert [[part["exc_type"] for part in chain] for chain in group["exceptions"]] == [["ValueError"], ["KeyError"]]


def test_of_a_deep_recursion_the_last_frames_are_told() -> None:
    logger = Logger(io.StringIO(), to_json)
    try:
        deep(3 * MOST_FRAMES)
    except ValueError:
        logger.exception(Log.REQUEST_BROKEN)
    [[told]] = [line["exception"] for line in written(logger)]
    assert [frame["name"] for frame in told["frames"]] == ["deep"] * MOST_FRAMES


def test_what_libraries_log_has_the_same_form() -> None:
    line = of_a_library("hello %s", "there", more=1)
    assert {name: line[name] for name in ("event", "level", "more")} == {
        "event": "hello there",
        "level": "info",
        "more": 1,
    }
    error = ValueError("broken")
    broken = of_a_library("lost", level=logging.ERROR, exc_info=(ValueError, error, None))
    assert (broken["level"], broken["exception"][0]["exc_value"]) == ("error", "broken")


def test_a_value_that_json_does_not_know_is_shown_as_python_does() -> None:
    assert of_a_library("x", more={1})["more"] == "{1}"


@pytest.mark.parametrize(
    "said", ["sk-abc", "inturn_abc", "Bearer abc", '"Bearer abc"', "Bearer abc\n", r"Bearer abc\x"]
)
def test_a_key_is_masked_and_the_line_stays_what_it_is(said: str) -> None:
    line = of_a_library("refused: %s", said)
    assert "abc" not in line["event"]
    assert "…" in line["event"]


def test_for_people_there_are_colours_and_the_traceback_as_python_writes_it() -> None:
    logger = Logger(io.StringIO(), to_colours)
    try:
        deep(1)
    except ValueError:
        logger.exception(Log.REQUEST_BROKEN, error="two words", code="one")
    assert isinstance(logger.stream, io.StringIO)
    first, *traceback = logger.stream.getvalue().splitlines()
    assert "\033[31m\033[1merror    \033[0m" in first
    assert "\033[1mrequest.broken" in first
    assert first.endswith("\033[36mcode\033[0m=\033[35mone\033[0m \033[36merror\033[0m=\033[35m'two words'\033[0m")
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "ValueError: the bottom"
