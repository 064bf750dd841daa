"""The check of an answer before it takes effect."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from turns.response_format.patterns import matches

MAX_SECONDS = 1.0  # of one check, in which a worker does nothing else


class CheckTookTooLong(Exception):
    """The schema and the answer together need too much time."""


def find_problem(text: str, response_format: Mapping[str, Any], *, clock: Callable[[], float] = time.monotonic) -> str:
    """Return why a text does not have this form, without any word of it; "" if it has.

    Raise `CheckTookTooLong`. Other forms than JSON are not checked.
    """
    kind = response_format.get("type")
    if kind not in {"json_object", "json_schema"}:
        return ""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return "it is not JSON"
    if kind == "json_object":
        return "" if isinstance(value, dict) else "it is not a JSON object"
    schema = response_format.get("json_schema", {}).get("schema", {})
    return _find_violation(value, schema, clock)


def _find_violation(value: Any, schema: Any, clock: Callable[[], float]) -> str:
    """Return the place in the schema of the first rule that the value breaks."""
    schema = {name: rule for name, rule in schema.items() if name != "$schema"}  # it would select another validator
    try:
        error = next(_bounded_validator(clock)(schema).iter_errors(value), None)
    except RecursionError:
        raise CheckTookTooLong("the schema refers to itself without an end") from None
    return f"it breaks the rule {'.'.join(map(str, error.absolute_schema_path))}" if error else ""


def _bounded_validator(clock: Callable[[], float]) -> Any:
    """Return a class of validators that stop at a deadline, and use no slow regular expressions."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  # 3 MB, which most processes never need

    ends_at = clock() + MAX_SECONDS

    def bounded(check: Any) -> Any:
        def check_in_time(*arguments: Any) -> Any:
            if clock() > ends_at:
                raise CheckTookTooLong(f"it was not finished after {MAX_SECONDS:.0f} s")
            return check(*arguments)

        return check_in_time

    rules = {**Draft202012Validator.VALIDATORS, "pattern": _pattern, "uniqueItems": _unique_items}
    return validators.extend(Draft202012Validator, {name: bounded(check) for name, check in rules.items()})


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Exception]:
    from jsonschema import ValidationError  # noqa: PLC0415

    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError("does not match")


def _unique_items(_: Any, is_required: bool, instance: Any, __: Any) -> Iterator[Exception]:
    """Compare the items as text, because comparing each pair takes minutes for a long list."""
    from jsonschema import ValidationError  # noqa: PLC0415

    items = instance if is_required and isinstance(instance, list) else []
    if len({json.dumps(item, sort_keys=True) for item in items}) < len(items):
        yield ValidationError("has equal items")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
