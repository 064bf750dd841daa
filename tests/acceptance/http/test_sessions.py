"""Sessions over HTTP: their versions."""

from typing import Any

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request


def submit(stack: Stack, session_id: str, *, if_match: str) -> HttpResponse:
    body = turn_request(session_id, "hello")
    return call(f"{stack.url}/v1/turns", method="POST", body=body, headers={"If-Match": if_match})


def test_a_turn_is_refused_if_another_tab_was_faster(stack: Stack) -> None:
    url = f"{stack.url}/v1/sessions/tabs"
    first = submit(stack, "tabs", if_match='"0"')
    assert first.status == 202
    stack.wait_until_finished(first.body["id"])
    late = submit(stack, "tabs", if_match='"0"')
    assert (late.status, late.body["code"]) == (412, "session_changed")
    read = call(url)
    assert read.headers["ETag"] == f'"{read.body["version"]}"'
    assert submit(stack, "tabs", if_match=read.headers["ETag"]).status == 202


@pytest.mark.parametrize("tag", ["7", 'W/"7"', '"x"', "*", '"1", "2"'])
def test_an_unusable_version_is_refused(stack: Stack, tag: str) -> None:
    refused = submit(stack, "never", if_match=tag)
    [error] = refused.body["errors"]
    fields: dict[str, Any] = {"status": refused.status, "field": error["field"]}
    assert fields == {"status": 400, "field": "If-Match"}
    assert call(f"{stack.url}/v1/sessions/never").status == 404
