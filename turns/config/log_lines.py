"""How a line of the log looks: JSON for machines, colours for people."""

import json
import traceback
from collections import deque
from types import MappingProxyType
from typing import Any

Fields = dict[str, Any]

MOST_FRAMES = 50  # of a recursion without end its last are enough
LEVEL_WIDTH, EVENT_WIDTH = 9, 30

PLAIN, BOLD, DIM, CYAN, MAGENTA = "\033[0m", "\033[1m", "\033[2m", "\033[36m", "\033[35m"
GREEN, YELLOW, RED = "\033[32m", "\033[33m", "\033[31m"
COLOURS = MappingProxyType({"debug": GREEN, "info": GREEN, "warning": YELLOW})  # what is worse is red

_encode = json.JSONEncoder(default=repr).encode


def to_json(fields: Fields, error: BaseException | None) -> str:
    return _encode({**fields, "exception": _chain(error)} if error else fields)


def to_colours(fields: Fields, error: BaseException | None) -> str:
    level, event, timestamp = (str(fields[name]) for name in ("level", "event", "timestamp"))
    rest = (
        f"{CYAN}{name}{PLAIN}={MAGENTA}{_shown(value)}{PLAIN}"
        for name, value in sorted(fields.items())
        if name not in {"level", "event", "timestamp"}
    )
    colour = COLOURS.get(level, RED)
    head = f"{DIM}{timestamp}{PLAIN} [{colour}{BOLD}{level:{LEVEL_WIDTH}}{PLAIN}]"
    line = " ".join((head, f"{BOLD}{event:{EVENT_WIDTH}}{PLAIN}", *rest))
    return line + "\n" + "".join(traceback.format_exception(error)).rstrip() if error else line


def _shown(value: object) -> str:
    """A word stands as it is; what has spaces or quotes in it could not be told from its neighbours."""
    text = str(value)
    is_word = isinstance(value, str) and text.isprintable() and not set(text) & set(" \"'=")
    return text if is_word else repr(value)


def _chain(error: BaseException | None) -> list[Fields]:
    """The exception, and below it what it came of. No values of variables: those are message text and keys."""
    told: list[Fields] = []
    is_cause = False
    seen: list[BaseException] = []
    while error and not any(error is one for one in seen):  # one can be raised from itself
        seen.append(error)
        told.append(_told(error, is_cause=is_cause))
        is_cause = error.__cause__ is not None
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def _told(error: BaseException, *, is_cause: bool) -> Fields:
    frames = deque(traceback.walk_tb(error.__traceback__), maxlen=MOST_FRAMES)
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return {
        "exc_type": type(error).__name__,
        "exc_value": str(error),
        "exc_notes": list(getattr(error, "__notes__", ())),
        "is_cause": is_cause,
        "frames": [
            {"filename": frame.f_code.co_filename, "lineno": line, "name": frame.f_code.co_name}
            for frame, line in frames
        ],
        "is_group": bool(parts),
        "exceptions": [_chain(part) for part in parts],
    }
