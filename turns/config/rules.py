"""The rule that an invalid value breaks, in the words of this service instead of pydantic's."""

import re

from pydantic_core import ErrorDetails

WORDS = {
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
}


def describe_rule(error: ErrorDetails) -> str:
    """Return the rule of a field, such as `must be less than or equal to 2`."""
    return WORDS.get(error["type"]) or re.sub(r"^\w+ should ", "must ", error["msg"])
