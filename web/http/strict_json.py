"""Strict JSON: the only loader for the bodies of requests."""

import json
from typing import Any

from turns.domain.errors import InvalidRequest

# More than any valid body has. pydantic records an error for each unknown name, and the nearest known name is searched
# for it, so one body could take seconds and hundreds of megabytes.
MAX_NAMES = 100
MAX_NAME_LENGTH = 200


def load_json(body: bytes) -> Any:
    """Parse a body. Raises `InvalidRequest`.

    Refused are other encodings than UTF-8, duplicate names, too many or too long names, NaN and Infinity, and very deep
    nesting.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise InvalidRequest("body", "must be UTF-8") from None
    except RecursionError:
        raise InvalidRequest("body", "is nested too deeply") from None
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
    except UnicodeEncodeError:  # pydantic's error would not contain the name
        raise InvalidRequest(printable(name), "must be valid Unicode, without lone surrogates") from None


def printable(name: str) -> str:
    """Return a name of the caller, escaped and shortened so that it can be sent back and logged."""
    return name[:MAX_NAME_LENGTH].encode("unicode_escape").decode()[:MAX_NAME_LENGTH]
