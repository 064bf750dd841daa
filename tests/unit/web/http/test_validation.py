"""Bad input gets the name of the field and the rule.

The same cases go over HTTP in `tests/acceptance/http/test_bad_input.py`.
"""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bad_input import BAD_BODIES
from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.domain.errors import AssistantNotFound, InvalidRequest
from turns.domain.turn_request import TurnRequest
from web.http.strict_json import load_json
from web.http.turn_requests import to_request
from web.http.validation import parse_idempotency_key, parse_messages, parse_object, parse_query
from web.schemas.queries import MessagesQuery, SessionsQuery, WaitQuery
from web.schemas.requests import submit_body

REGISTRY = AssistantRegistry(Settings())
MAX_INPUT_BYTES = Settings().max_input_bytes
GOOD = {
    "session_id": "foobar",
    "input": "What does cosine mean?",
    "assistant": "example",
    "variables": {"ability": "math"},
}


def submit(**changes: Any) -> Any:
    return parse(json.dumps({**GOOD, **changes}).encode())


def parse(body: bytes, *, key: str | None = None, max_input_bytes: int = MAX_INPUT_BYTES) -> TurnRequest:
    model = submit_body(max_input_bytes)
    return to_request(
        parse_object(body),
        model,
        find=REGISTRY.find,
        idempotency_key=parse_idempotency_key(key),
        traceparent=None,
        tenant="-",
        request_id="r",
    )


@pytest.mark.parametrize(("body", "field"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body_names_its_field(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse(body)
    assert error.value.errors[0].field == field


def test_a_good_body_becomes_a_request() -> None:
    parsed = submit(user_id="alice", metadata={"ticket": "42"}, on_busy="reject", start_within_seconds=600)
    assert (parsed.session, parsed.input, parsed.variables) == ("-/alice/foobar", GOOD["input"], {"ability": "math"})
    assert (parsed.metadata, parsed.on_busy, parsed.start_within_seconds) == ({"ticket": "42"}, "reject", 600)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_is_accepted_unchanged(text: str) -> None:
    assert submit(input=text).input == text


def test_the_largest_input_is_accepted() -> None:
    assert len(submit(input="x" * MAX_INPUT_BYTES).input) == MAX_INPUT_BYTES
    assert submit(input="é" * (MAX_INPUT_BYTES // 2)).input


def test_the_limit_of_the_input_is_that_of_the_service() -> None:
    body = json.dumps({**GOOD, "input": "1234", "user_id": "a b"}).encode()
    with pytest.raises(InvalidRequest) as error:
        parse(body, max_input_bytes=3)
    first, second = error.value.errors
    assert str(first) == "input: must be at most 3 bytes of UTF-8"
    assert second.field == "user_id", "reported with the other wrong fields"


def test_a_misspelt_field_gets_a_suggestion() -> None:
    with pytest.raises(InvalidRequest, match="sesion_id: is not known; did you mean session_id"):
        parse(b'{"sesion_id": "a", "input": "x"}')


def test_all_wrong_fields_are_reported_at_once() -> None:
    with pytest.raises(InvalidRequest) as error:
        parse(b'{"sesion_id": "a", "input": 5, "user_id": "a b", "variables": {"x": 1}}')
    assert [wrong.field for wrong in error.value.errors] == [
        "sesion_id",
        "session_id",
        "input",
        "user_id",
        "variables.x",
    ]
    assert str(error.value).count("\n") == 4


def test_all_wrong_variables_are_reported_at_once() -> None:
    with pytest.raises(InvalidRequest) as error:
        submit(variables={"a": "1", "b": "2"})
    assert [wrong.field for wrong in error.value.errors] == ["variables.a", "variables.b", "variables.ability"]


def test_ten_wrong_fields_are_reported() -> None:
    """However many there are: the nearest known name is searched for each."""
    names = {f"n{number}": "x" for number in range(60)}
    for wrong in ({**GOOD, **names}, {**GOOD, "variables": names}, {**GOOD, "variables": dict.fromkeys(names, 1)}):
        with pytest.raises(InvalidRequest) as error:
            parse(json.dumps(wrong).encode())
        assert len(error.value.errors) == 10


def test_a_misspelt_variable_gets_the_known_names() -> None:
    with pytest.raises(InvalidRequest, match=r"variables\.abilty: .* it has: ability"):
        submit(variables={"abilty": "math"})


def test_a_long_name_gets_the_rule() -> None:
    with pytest.raises(InvalidRequest, match="nnn: must be a name of at most 200 characters"):
        parse(json.dumps({**GOOD, "variables": {"n" * 201: "x"}}).encode())


def test_the_first_wrong_message_is_named() -> None:
    """No errors are recorded for the other messages, of which there may be ten thousand."""
    messages = [{"role": "user", "content": "hello"}, {"role": "user", "content": 5}, {"rle": "user"}]
    with pytest.raises(InvalidRequest) as error:
        parse_messages(json.dumps({"messages": messages}).encode())
    assert error.value.errors[0].field == "messages.1.content"


def test_an_unknown_assistant_is_not_found() -> None:
    with pytest.raises(AssistantNotFound):
        submit(assistant="nobody")


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\t", "é", "new\nline"])
def test_a_bad_idempotency_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        parse(json.dumps(GOOD).encode(), key=key)


@pytest.mark.parametrize(
    "query",
    [
        [("wait", "31")],
        [("wait", "-1")],
        [("wait", "x")],
        [("wait", "nan")],
        [("wiat", "1")],
        [("wait", "1"), ("wait", "2")],
    ],
)
def test_a_bad_wait_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_query(WaitQuery, query)
    assert error.value.errors[0].field == query[0][0]


@pytest.mark.parametrize(
    "query", [[("limit", "0")], [("limit", "101")], [("order", "up")], [("after", str(2**53))], [("user_id", "a b")]]
)
def test_a_bad_page_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_query(MessagesQuery, query)
    assert error.value.errors[0].field == query[0][0]


def test_a_parameter_for_a_list_may_be_repeated() -> None:
    query = parse_query(SessionsQuery, [("metadata", "a:1"), ("q", "x"), ("metadata", "b:c:2")])
    assert (query.metadata, query.q) == (["a:1", "b:c:2"], "x")


@given(st.binary(max_size=200))
def test_no_body_breaks_the_loader(body: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        load_json(body)
