"""The parameters of a completion."""

from typing import Any

import pytest

from turns.domain.assistant import Lane
from web.surfaces.openai.chat.binding import Binding, read_binding
from web.surfaces.openai.chat.parameters import check_parameters
from web.surfaces.openai.chat.requests import CompletionBody
from web.surfaces.openai.unsupported import UnsupportedParameter

BODY = {"model": "default", "messages": [{"role": "user", "content": "a"}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("tools", [{}]),
        ("tool_choice", "required"),
        ("functions", [{}]),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"1": 2}),
        ("stop", ["x"]),
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
    ],
)
def test_what_changes_the_meaning_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        check_parameters({"temperature": 1, name: value})
    assert (caught.value.code, caught.value.errors[0].field) == ("unsupported_parameter", name)


def test_all_refused_parameters_are_named() -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        check_parameters({"n": 2, "tools": [{}]})
    assert [error.field for error in caught.value.errors] == ["n", "tools"]


def test_what_asks_for_nothing_or_only_tunes_passes() -> None:
    neutral = {"n": 1, "tools": [], "tool_choice": "auto", "stop": None, "logprobs": False, "modalities": ["text"]}
    check_parameters({**neutral, "temperature": 0, "max_tokens": 5, "seed": 1, "top_k": 3, "parallel_tool_calls": True})


def test_a_header_names_the_user_before_the_body() -> None:
    body = CompletionBody.model_validate({**BODY, "user": "body", "safety_identifier": "safe"})
    assert body.user_id(Binding()) == "safe"
    assert body.user_id(Binding(user_id="header")) == "header"
    assert CompletionBody.model_validate(BODY).user_id(Binding()) is None


def test_a_body_becomes_that_of_a_turn() -> None:
    form = {"type": "json_object"}
    more = {"metadata": {"k": "v"}, "response_format": form, "service_tier": "flex", "variables": {"a": "b"}}
    body = CompletionBody.model_validate({**BODY, **more, "stream": None})
    assert body.to_submit("s", "a", Binding(user_id="ada")) == {
        "session_id": "s",
        "assistant": "default",
        "input": "a",
        "user_id": "ada",
        "metadata": {"k": "v"},
        "response_format": form,
        "lane": Lane.BATCH,
        "variables": {"a": "b"},
    }
    assert CompletionBody.model_validate({**BODY, "service_tier": "auto"}).to_submit("s", "a", Binding()) == {
        "session_id": "s",
        "assistant": "default",
        "input": "a",
    }


@pytest.mark.parametrize(
    ("headers", "is_streamed", "binding"),
    [
        ({}, True, Binding()),
        ({"X-InTurn-Session": "s", "X-InTurn-User": "ada"}, False, Binding("s", "ada")),
        ({"X-InTurn-Session": "", "X-InTurn-Task": ""}, False, Binding()),
        ({"X-InTurn-Session": "{{LIBRECHAT_BODY_CONVERSATIONID}}"}, True, Binding()),
        ({"X-InTurn-Session": "s", "X-InTurn-Task": "title_generation"}, True, Binding(is_task=True)),
        ({"X-OpenWebUI-Chat-Id": "c", "X-OpenWebUI-User-Id": "u"}, True, Binding("c", "u")),
        ({"X-OpenWebUI-Chat-Id": "c"}, False, Binding(is_task=True)),
        ({"X-OpenWebUI-Chat-Id": "c", "X-InTurn-Session": "s"}, False, Binding("s")),
    ],
)
def test_headers_bind_a_completion(headers: dict[str, str], is_streamed: bool, binding: Binding) -> None:
    def get_header(name: str) -> str | None:
        return headers.get(name)

    assert read_binding(get_header, is_streamed=is_streamed) == binding


def test_a_task_runs_in_the_lane_batch() -> None:
    submitted = CompletionBody.model_validate(BODY).to_submit("s", "a", Binding(is_task=True))
    assert submitted["lane"] is Lane.BATCH
