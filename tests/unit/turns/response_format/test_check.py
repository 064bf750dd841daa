"""Test that an answer has its form, in bounded time, and that the reason contains no word of it."""

import itertools
import json
from typing import Any

import pytest

from turns.response_format.check import MAX_SECONDS, CheckTookTooLong, find_problem

ORDER = {
    "type": "object",
    "properties": {"dish": {"type": "string", "pattern": "^[a-z]+$"}, "count": {"$ref": "#/$defs/count"}},
    "required": ["dish"],
    "additionalProperties": False,
    "$defs": {"count": {"type": "integer", "minimum": 1}},
}


def with_schema(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


@pytest.mark.parametrize("text", ['{"dish": "soup"}', '{"dish": "soup", "count": 2}'])
def test_an_answer_of_the_schema_has_no_problem(text: str) -> None:
    assert find_problem(text, with_schema(ORDER)) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("soup, please", "it is not JSON"),
        ('{"dish": "soup"', "it is not JSON"),
        ('{"dish": NaN}', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it breaks the rule type"),
        ("{}", "it breaks the rule required"),
        ('{"dish": "SECRET"}', "it breaks the rule properties.dish.pattern"),
        ('{"dish": "soup", "SECRET": 1}', "it breaks the rule additionalProperties"),
        ('{"dish": "soup", "count": 0}', "it breaks the rule properties.count.minimum"),
    ],
)
def test_a_problem_names_the_rule_and_nothing_of_the_answer(text: str, problem: str) -> None:
    assert find_problem(text, with_schema(ORDER)) == problem


@pytest.mark.parametrize(("text", "is_valid"), [("{}", True), ("[]", False), ("{", False)])
def test_a_json_object_needs_no_schema(text: str, is_valid: bool) -> None:
    assert (find_problem(text, {"type": "json_object"}) == "") is is_valid


@pytest.mark.parametrize("kind", ["text", "grammar"])
def test_other_forms_are_not_checked(kind: str) -> None:
    assert find_problem("soup", {"type": kind}) == ""


@pytest.mark.parametrize(
    ("items", "is_valid"), [([1, 2, {"a": 1}], True), ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False)]
)
def test_unique_items_are_compared_as_values(items: list[Any], is_valid: bool) -> None:
    assert (find_problem(json.dumps(items), with_schema({"uniqueItems": True})) == "") is is_valid


def test_a_slow_pattern_takes_no_time() -> None:
    assert find_problem(json.dumps("a" * 50_000 + "!"), with_schema({"pattern": "^(a+)+$"})) != ""


def test_a_check_ends_at_its_deadline() -> None:
    clock = itertools.count(0, MAX_SECONDS / 10)
    schema = {"items": {"type": "integer"}}
    with pytest.raises(CheckTookTooLong):
        find_problem(json.dumps(list(range(100))), with_schema(schema), clock=lambda: next(clock))


def test_a_schema_that_refers_to_itself_for_ever_ends() -> None:
    with pytest.raises(CheckTookTooLong):
        find_problem("1", with_schema({"$ref": "#"}))
