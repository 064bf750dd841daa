"""The one loader of JSON that came from outside."""

import json
from typing import Any

from turns.errors import InvalidRequest


def load_json(body: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate names, no NaN or Infinity, no bottomless nesting. Raises `InvalidRequest`."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise InvalidRequest("body", "must be UTF-8") from None
    except RecursionError:
        raise InvalidRequest("body", "must not be nested so deeply") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest("body", f"must be JSON: {error}") from None
    except ValueError:
        raise InvalidRequest("body", "must not contain a number of thousands of digits") from None


def _refuse_constant(name: str) -> None:
    raise InvalidRequest("body", f"must be JSON: {name} is not")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(printable(name), "must be given once")
        found[name] = value
    return found


def printable(name: str) -> str:
    """A caller's own spelling, fit to be sent back and logged."""
    return name.encode("unicode_escape").decode()[:200]
