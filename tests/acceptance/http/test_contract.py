"""Lists, sessions, batches, preferences, conditional requests and headers."""

from typing import Any

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_LOG_FORMAT": "json", "INTURN_CORS_ORIGINS": ORIGIN}


def submit(stack: Stack, text: str, *, session_id: str = "s", **headers: str) -> HttpResponse:
    return call(f"{stack.url}/v1/turns", method="POST", body=turn_request(session_id, text), headers=headers)


def pages(stack: Stack, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while after is not None:
        page = call(f"{stack.url}{path}{after and f'&after={after}'}").body
        assert page["has_more"] == (page["after"] is not None)
        found += page["data"]
        after = page["after"]
    return found


def test_turns_are_listed_newest_first(stack: Stack) -> None:
    turns = [stack.submit("listed", f"hello {n}") for n in range(5)]
    stack.wait_until_finished(turns[-1])
    assert [turn["id"] for turn in pages(stack, "/v1/turns?session_id=listed&limit=2")] == turns[::-1]
    waiting = stack.submit("listed", "hello [gate listed]")
    stack.wait_until_running(waiting)
    [only] = pages(stack, "/v1/turns?session_id=listed&status=in_progress&limit=2")
    assert only["id"] == waiting
    stack.open_gate("listed")
    assert waiting in [turn["id"] for turn in pages(stack, "/v1/turns?limit=3")]


def test_a_busy_session_names_its_turns(stack: Stack) -> None:
    turns = [stack.submit("busy", f"{n} [gate busy]", user_id="alice") for n in range(3)]
    url = f"{stack.url}/v1/sessions/busy?user_id=alice"
    wait_until("the first runs", lambda: call(url).body["running_turn"] == turns[0])
    session = call(url).body
    assert (session["status"], session["queued_turns"], session["message_count"]) == ("busy", turns[1:], 0)
    stack.open_gate("busy")
    stack.wait_until_finished(turns[2])
    session = call(url).body
    assert (session["status"], session["running_turn"], session["message_count"]) == ("idle", None, 6)
    assert session in pages(stack, "/v1/sessions?limit=1")
    assert call(f"{stack.url}/v1/sessions/busy").status == 404, "another user's"


def test_a_batch_treats_each_turn_alone_and_can_be_repeated(stack: Stack) -> None:
    good, bad = turn_request("batch", "hello"), {"session_id": "batch", "inptu": "hello"}
    body, key = {"turns": [good, bad, good]}, {"Idempotency-Key": "batch"}
    first, again = (call(f"{stack.url}/v1/turns/batch", method="POST", body=body, headers=key) for _ in range(2))
    assert first.status == 200
    assert [item["status"] for item in first.body["data"]] == [202, 400, 202]
    assert first.body["data"][1]["problem"]["detail"].startswith("inptu: ")
    ids, ids_again = ([item["turn"]["id"] for item in got.body["data"] if "turn" in item] for got in (first, again))
    assert ids == ids_again
    assert [stack.wait_until_finished(turn)["sequence"] for turn in ids] == [1, 2]


@pytest.mark.parametrize("turns", [[], [{}] * 101, {}, None, [1]])
def test_a_bad_batch(stack: Stack, turns: Any) -> None:
    answer = call(f"{stack.url}/v1/turns/batch", method="POST", body={"turns": turns})
    assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert answer.body["detail"].startswith("turns")


def test_a_turn_is_also_a_task(stack: Stack) -> None:
    turn = stack.wait_until_finished(stack.submit("task", "hello"))
    assert call(f"{stack.url}/v1/tasks/{turn['id']}").body == turn


def test_a_caller_that_prefers_to_wait_gets_the_answer(stack: Stack) -> None:
    answered = submit(stack, "hello", Prefer="wait=20")
    assert (answered.status, answered.body["status"]) == (200, "completed")
    assert answered.headers["Preference-Applied"] == "wait=20"
    assert answered.headers["Location"] == answered.body["links"]["self"]
    assert answered.headers["Retry-After"] is None
    late = submit(stack, "hello [gate prefer]", session_id="prefer", Prefer="respond-async, wait=0")
    assert (late.status, late.headers["Preference-Applied"]) == (202, "wait=0")
    stack.open_gate("prefer")
    polled = call(f"{stack.url}{late.body['links']['self']}", headers={"Prefer": "wait=99"})
    assert (polled.body["status"], polled.headers["Preference-Applied"]) == ("completed", "wait=30")


def test_an_unchanged_turn_gets_304(stack: Stack) -> None:
    turn_id = stack.submit("etag", "hello [gate etag]")
    url = f"{stack.url}/v1/turns/{turn_id}"
    stack.wait_until_running(turn_id)
    tag = call(url).headers["ETag"]
    same = call(url, headers={"If-None-Match": tag})
    assert (same.status, same.body, same.headers["ETag"]) == (304, None, tag)
    stack.open_gate("etag")
    changed = call(f"{url}?wait=20", headers={"If-None-Match": tag})
    assert (changed.status, changed.body["status"]) == (200, "completed")


def test_a_trace_goes_from_the_caller_to_the_worker(stack: Stack) -> None:
    turn_id = submit(stack, "hello", session_id="trace", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01").body["id"]
    assert submit(stack, "hello", session_id="trace", traceparent="nonsense").status == 202
    stack.wait_until_finished(turn_id)
    wait_until(
        "the worker's log has it", lambda: any(TRACE in line and turn_id in line for line in stack.logs().splitlines())
    )


def test_a_longer_queue_means_a_later_retry_after(stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("pace", "hello [delay 1]"))
    turns = [stack.submit("pace", f"{n} [gate pace]") for n in range(40)]
    first, last = (int(call(f"{stack.url}/v1/turns/{turn}").headers["Retry-After"]) for turn in (turns[0], turns[-1]))
    assert 1 <= first < last <= 30
    assert call(f"{stack.url}/v1/sessions/pace", method="DELETE").status == 204


def test_the_assistants_are_listed_with_their_variables(stack: Stack) -> None:
    default, example = call(f"{stack.url}/v1/assistants").body["data"]
    assert (default["name"], default["model"], default["variables"]) == ("default", "gpt-4o-mini", {})
    ability = {
        "description": "Subject, such as math",
        "required": True,
        "default": None,
        "max_length": 100,
    }
    assert (example["name"], example["variables"], example["lane"]) == ("example", {"ability": ability}, "interactive")


def test_every_response_has_security_headers(stack: Stack) -> None:
    for path in ("/livez", "/nowhere", "/v1/turns", "/openapi.json"):
        headers = call(f"{stack.url}{path}").headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["X-Request-Id"]


def test_only_listed_origins_may_call_from_a_browser(stack: Stack) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    ours = call(f"{stack.url}/v1/turns", method="OPTIONS", headers={"Origin": ORIGIN, **preflight})
    theirs = call(f"{stack.url}/v1/turns", method="OPTIONS", headers={"Origin": "https://evil.example", **preflight})
    assert ours.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert theirs.headers["Access-Control-Allow-Origin"] is None
    exposed = call(f"{stack.url}/v1/turns", headers={"Origin": ORIGIN}).headers["Access-Control-Expose-Headers"]
    assert "Retry-After" in exposed


def test_pages_of_other_origins_can_neither_act_nor_read(stack: Stack) -> None:
    """`tests/unit/web/security/test_cross_origin.py` tests the other cases."""
    act = f"{stack.url}/operator/holds/lift?name=none"
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert call(act, method="POST", headers=foreign).status == 403
    assert call(f"{stack.url}/operator/pauses/intake", method="DELETE", headers=foreign).status == 403
    for headers in ({}, {"Origin": stack.url}, {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}):
        assert call(act, method="POST", headers=headers).status == 200
    rebound = call(f"{stack.url}/v1/sessions", headers={"Host": "evil.example"})
    assert (rebound.status, rebound.body["code"]) == (403, "forbidden")
    assert "INTURN_ALLOW_OPEN_ACCESS" in rebound.body["detail"]


def test_without_a_list_no_origin_may(start: Any) -> None:
    answer = call(f"{start(workers=0).url}/v1/turns", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_head_and_options_are_answered(stack: Stack) -> None:
    turn_id = stack.submit("head", "hello")
    stack.wait_until_finished(turn_id)
    for path in ("/livez", f"/v1/turns/{turn_id}", f"/v1/turns/{turn_id}/events"):
        assert call(f"{stack.url}{path}", method="HEAD", headers={"Accept": "*/*"}).status == 200
    # The header `Accept` does not matter here, because the response has no content.
    options = call(f"{stack.url}/v1/turns", method="OPTIONS", headers={"Accept": "text/html, nonsense;q=x"})
    assert options.status == 200
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
