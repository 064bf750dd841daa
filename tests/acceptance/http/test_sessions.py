"""Sessions over HTTP: versions, titles, labels and lists."""

from typing import Any

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request

COPIED = ("role", "content", "turn_id", "created_at", "metadata")


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


def test_a_batch_takes_no_version(stack: Stack) -> None:
    body = {"turns": [turn_request("batched", "hello")]}
    refused = call(f"{stack.url}/v1/turns/batch", method="POST", body=body, headers={"If-Match": '"0"'})
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "If-Match")
    assert call(f"{stack.url}/v1/sessions/batched").status == 404


def test_a_retry_is_refused_if_another_tab_was_faster(stack: Stack) -> None:
    failed = stack.submit("retried", "[fail 400]")
    assert stack.wait_until_finished(failed)["status"] == "failed"
    [kept] = call(f"{stack.url}/v1/sessions/retried/unanswered").body["data"]
    assert (kept["turn_id"], kept["content"], kept["status"]) == (failed, "[fail 400]", "failed")
    assert kept["error"] == stack.turn(failed)["error"] | {"message": kept["error"]["message"]}
    url = f"{stack.url}/v1/turns/{failed}/retry"
    assert call(url, method="POST", headers={"If-Match": '"1"'}).body["code"] == "session_changed"
    assert call(url, method="POST", headers={"If-Match": '"0"'}).status == 202


def test_a_session_is_renamed_labelled_and_found(stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("mine", "What does cosine mean?", user_id="alice"))
    url = f"{stack.url}/v1/sessions/mine?user_id=alice"
    assert call(url).body["title"] == "What does cosine mean?"
    renamed = patch(url, {"title": "Trigonometry", "metadata": {"course": "algebra", "year": "2"}})
    assert (renamed.status, renamed.body["title"]) == (200, "Trigonometry")
    assert renamed.headers["ETag"] == f'"{renamed.body["version"]}"'
    for query in ("user_id=alice&q=trigo", "metadata=course:algebra&metadata=year:2", "archived=false&q=trigo"):
        page = call(f"{stack.url}/v1/sessions?count=true&{query}").body
        assert [session["session_id"] for session in page["data"]] == ["mine"], query
        assert page["total"] == {"count": 1, "is_exact": True}
    assert call(f"{stack.url}/v1/users/alice/sessions").body["data"] == [renamed.body]
    assert call(f"{stack.url}/v1/users/bob/sessions").body["data"] == []


def test_a_change_of_a_session_is_refused_if_it_has_changed(stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("raced", "hello"))
    url = f"{stack.url}/v1/sessions/raced"
    etag = call(url).headers["ETag"]
    assert patch(url, {"archived": True}, if_match=etag).status == 200
    late = patch(url, {"archived": False}, if_match=etag)
    assert (late.status, late.body["code"]) == (412, "session_changed")
    assert call(url).body["archived"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "a" * 513}, "title"),
        ({"title": " "}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"metadata": {"": "x"}}, "metadata."),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"archived": "yes"}, "archived"),
        ({"ttl_seconds": 1}, "ttl_seconds"),
        ({"name": "x"}, "name"),
    ],
)
def test_a_wrong_change_of_a_session_names_its_field(stack: Stack, body: dict[str, Any], field: str) -> None:
    stack.wait_until_finished(stack.submit("kept", "hello"))
    before = call(f"{stack.url}/v1/sessions/kept").body
    refused = patch(f"{stack.url}/v1/sessions/kept", body)
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, field)
    after = call(f"{stack.url}/v1/sessions/kept").body
    assert {**after, "last_active_at": None} == {**before, "last_active_at": None}


def test_a_change_of_an_unknown_session_is_not_found(stack: Stack) -> None:
    assert patch(f"{stack.url}/v1/sessions/nobody-s", {"title": "x"}).body["code"] == "session_not_found"


@pytest.mark.parametrize("query", ["archived=yes", "metadata=x", "metadata=:x", "active_after=today", "count=1"])
def test_a_wrong_filter_of_sessions_names_its_parameter(stack: Stack, query: str) -> None:
    refused = call(f"{stack.url}/v1/sessions?{query}")
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, query.partition("=")[0])


def patch(url: str, body: dict[str, Any], *, if_match: str | None = None) -> HttpResponse:
    headers = {"If-Match": if_match} if if_match else {}
    return call(url, method="PATCH", body=body, headers=headers)


def test_messages_keep_their_time_and_the_metadata_of_their_turn(stack: Stack) -> None:
    turn = stack.submit("kept-by", "hello", metadata={"plan": "pro"})
    record = stack.wait_until_finished(turn)
    question, answer = call(f"{stack.url}/v1/sessions/kept-by/messages").body["data"]
    assert question["metadata"] == answer["metadata"] == {"plan": "pro"}
    assert question["created_at"][:10] == record["accepted_at"][:10]
    assert question["created_at"] <= answer["created_at"]
    copied = [{name: message[name] for name in COPIED} for message in (question, answer)]
    call(f"{stack.url}/v1/sessions/copied/messages", method="PUT", body={"messages": copied})
    found = call(f"{stack.url}/v1/sessions/copied/messages").body["data"]
    assert [{name: message[name] for name in COPIED} for message in found] == copied
