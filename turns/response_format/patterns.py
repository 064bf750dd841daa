"""Regular expressions of schemas, executed by an engine whose time is linear in the text.

Python's own can take for ever for a pattern such as `(a+)+$`, and cannot be interrupted.
"""

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


def is_pattern(pattern: str) -> bool:
    """Return whether the engine supports the pattern."""
    try:
        _compile(pattern)
    except SchemaError:
        return False
    return True


def matches(pattern: str, text: str) -> bool:
    """Return whether the pattern is found anywhere in the text."""
    return _compile(pattern).isinstance_python(text)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
