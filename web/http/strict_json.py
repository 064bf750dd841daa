"""The one loader of JSON that came from outside."""

import json
from typing import Any

from turns.domain.errors import InvalidRequest

# More than any body has. Each name that is not known would be put down as an error of its own, and looked for among
# those that are: seconds and hundreds of megabytes for one body.
MAX_NAMES = 100
MAX_NAME_LENGTH = 200


def load_json(body: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate names, nor too many or too long ones, no NaN or Infinity, no bottomless nesting.
    Raises `InvalidRequest`."""
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
    if len(pairs) > MAX_NAMES:
        raise InvalidRequest("body", f"must not have more than {MAX_NAMES} names in one object")
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(printable(name), "must be given once")
        _check(name)
        found[name] = value
    return found


def _check(name: str) -> None:
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidRequest(printable(name), f"must be a name of at most {MAX_NAME_LENGTH} characters")
    try:
        name.encode()
    except UnicodeEncodeError:  # pydantic would not say which name it is
        raise InvalidRequest(printable(name), "must be valid Unicode, without lone surrogates") from None


def printable(name: str) -> str:
    """A caller's own spelling, fit to be sent back and logged."""
    return name[:MAX_NAME_LENGTH].encode("unicode_escape").decode()[:MAX_NAME_LENGTH]
