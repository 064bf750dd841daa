"""Changes of what a session has committed, with real workers."""

from tests.support.processes import HttpResponse, Stack, call


def regenerate(stack: Stack, turn_id: str, *, body: object = None, key: str = "") -> HttpResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return call(f"{stack.url}/v1/turns/{turn_id}/regenerate", method="POST", body=body, headers=headers)


def contents(stack: Stack, session: str) -> list[str]:
    return [message["content"] for message in stack.messages(session)]


def test_the_model_is_asked_again_without_the_replaced_pair(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("again", "one"))
    second = stack.wait_until_finished(stack.submit("again", "two"))
    accepted = regenerate(stack, second["id"], key="k")
    assert (accepted.status, accepted.body["regenerates"]) == (202, second["id"])
    assert regenerate(stack, second["id"], key="k").body["id"] == accepted.body["id"]
    third = stack.wait_until_finished(accepted.body["id"])
    assert third["status"] == "completed"
    asked = [[message["content"] for message in request["messages"]] for request in stack.model_requests()]
    assert asked[-1] == asked[-2]
    assert asked[-1][1:] == ["one", first["output"]["content"], "two"]
    assert contents(stack, "again") == ["one", first["output"]["content"], "two", third["output"]["content"]]
    assert stack.turn(second["id"])["superseded_by"] == third["id"]


def test_an_edited_question_takes_the_place_of_the_earlier_one(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("edit", "one"))
    edited = stack.wait_until_finished(regenerate(stack, first["id"], body={"input": "two"}).body["id"])
    assert contents(stack, "edit") == ["two", edited["output"]["content"]]


def test_a_regeneration_that_fails_or_is_cancelled_changes_nothing(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("kept", "one"))
    failed = regenerate(stack, first["id"], body={"input": "[fail 401]"}).body["id"]
    assert stack.wait_until_finished(failed)["status"] == "failed"
    cancelled = regenerate(stack, first["id"], body={"input": "[gate never]"}).body["id"]
    call(f"{stack.url}/v1/turns/{cancelled}/cancel", method="POST")
    assert contents(stack, "kept") == ["one", first["output"]["content"]]


def test_an_earlier_turn_is_regenerated_in_a_session_that_the_answer_names(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("earlier", "one"))
    stack.wait_until_finished(stack.submit("earlier", "two"))
    accepted = regenerate(stack, first["id"], body={"input": "eins"}, key="f").body
    assert (accepted["forked_from"], accepted["regenerates"]) == ("earlier", first["id"])
    assert regenerate(stack, first["id"], body={"input": "eins"}, key="f").body["id"] == accepted["id"]
    edited = stack.wait_until_finished(accepted["id"])
    assert contents(stack, accepted["session_id"]) == ["eins", edited["output"]["content"]]
    assert len(contents(stack, "earlier")) == 4


def test_a_session_is_forked_up_to_a_turn(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("whole", "one"))
    second = stack.wait_until_finished(stack.submit("whole", "two"))

    def fork(**body: object) -> HttpResponse:
        return call(f"{stack.url}/v1/sessions/whole/fork", method="POST", body=body)

    forked = fork(through_turn=first["id"], session_id="part")
    assert (forked.status, forked.body["message_count"], forked.body["forked_from"]) == (201, 2, "whole")
    assert forked.headers["Location"] == "/v1/sessions/part"
    assert fork(through_turn=first["id"], session_id="part").status == 200
    refused = fork(before_turn=second["id"], session_id="part")
    assert (refused.status, refused.body["code"]) == (409, "session_not_empty")
    refused = fork(through_turn=first["id"], before_turn=second["id"])
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "before_turn")
    assert fork().body["message_count"] == 4


def test_a_stopped_turn_keeps_what_it_said(stack: Stack) -> None:
    turn_id = stack.submit("stopped", "one [words 20] [hold never]")
    stack.wait_until_streaming(turn_id)
    stopped = call(f"{stack.url}/v1/turns/{turn_id}/cancel", method="POST", body={"keep": True}).body
    assert (stopped["status"], stopped["status_reason"]) == ("incomplete", "stopped")
    question, answer = stack.messages("stopped")
    assert (question["incomplete"], answer["incomplete"]) == (False, True)
    assert answer["content"] == stopped["output"]["content"] != ""


def test_a_deleted_turn_leaves_nothing(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("deleted", "one"))
    last = stack.wait_until_finished(stack.submit("deleted", "two"))
    url = f"{stack.url}/v1/turns/{last['id']}"
    assert call(f"{stack.url}/v1/turns/{first['id']}", method="DELETE").body["code"] == "turn_not_last"
    assert [call(url, method="DELETE").status for _ in range(2)] == [204, 204]
    assert call(url).status == 404
    assert contents(stack, "deleted") == ["one", first["output"]["content"]]


def test_a_wrong_regeneration_is_refused_with_its_reason(stack: Stack) -> None:
    first = stack.wait_until_finished(stack.submit("refused", "one"))
    live = stack.submit("refused", "two [gate never]")
    refused = regenerate(stack, live)
    assert (refused.status, refused.body["code"]) == (409, "turn_not_committed")
    refused = regenerate(stack, first["id"], body={"on_busy": "interrupt"})
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "on_busy")
    refused = regenerate(stack, first["id"], body={"on_busy": "reject"})
    assert (refused.status, refused.body["code"]) == (409, "session_busy")
    refused = regenerate(stack, first["id"], body={"input": ""})
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "input")
    refused = regenerate(stack, "turn_" + "0" * 32)
    assert (refused.status, refused.body["code"]) == (410, "turn_expired")
