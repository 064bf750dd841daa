"""The requests of operators, over HTTP, while real workers run turns."""

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.acceptance.operations.operating import (
    PRIVATE,
    acted,
    ended_job,
    fail,
    get,
    holder,
    pause,
    post,
    put_job,
    resume,
    run_job,
    running,
    stats,
    timeline,
    why,
)
from tests.acceptance.operations.test_metrics import metric
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until
from tools import ROOT
from turns.config.version import VERSION


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start two workers, so that one can end; a test that ends one starts another."""
    settings = {"INTURN_LEASE_SECONDS": "1.5", "INTURN_RESCUE_SECONDS": "0.2", "INTURN_RETRY_SECONDS": "0"}
    with Stack(tmp_path_factory.mktemp("stack"), workers=2, settings=settings) as stack:
        yield stack


def test_the_stats_count_the_turns(stack: Stack) -> None:
    for turn_id in [*(stack.submit(f"counted{n}", "hello") for n in range(3)), stack.submit("counted", "x [fail 401]")]:
        stack.wait_until_finished(turn_id)
    now = stats(stack)
    assert (now["live_turns"], now["waiting_turns"], now["running_turns"], now["oldest_waiting_seconds"]) == (
        0,
        0,
        0,
        0,
    )
    assert (now["live_workers"], now["failed_turns"], now["failed_by_code"]) == (2, 1, {"provider_authentication": 1})
    recent = now["recent"]
    assert (recent["accepted"], recent["ended"]["completed"], recent["ended"]["failed"]) == (4, 3, 1)
    assert recent["error_share"] == 0.25
    assert 0 < recent["first_token_p95_seconds"] <= recent["duration_p95_seconds"] < 60
    assert 0 < recent["wait_p50_seconds"] <= recent["wait_p95_seconds"] < 60
    for minutes, points in ((15, 15), (360, 72), (1440, 96)):
        series = get(stack, "stats.json", minutes=minutes)["series"]
        assert (len(series), sum(point["accepted"] for point in series)) == (points, 4)
        assert sum(point["ended"]["failed"] for point in series) == 1
    assert run_job(stack, "after-the-stats", act="discard", all=True)["done"] == 1


def test_an_error_code_of_a_newer_release_is_shown_as_it_is(stack: Stack) -> None:
    turn_id = stack.submit("newer", "x [fail 401]")
    stack.wait_until_finished(turn_id)
    stack.store.raw.hset(f"inturn:turn:{turn_id}", "error_code", "code_of_tomorrow")
    assert stack.turn(turn_id)["error"]["code"] == "code_of_tomorrow"
    assert stack.turn(turn_id)["error"]["message"].startswith("The turn failed.")
    assert stats(stack)["failed_by_code"] == {"code_of_tomorrow": 1}
    assert [turn["code"] for turn in get(stack, "failed")["data"]] == ["code_of_tomorrow"]
    assert timeline(stack, turn_id)["code"] == "code_of_tomorrow"
    assert get(stack, "preview", act="discard")["by_code"] == {"code_of_tomorrow": 1}
    assert run_job(stack, "of-tomorrow", act="discard", code="code_of_tomorrow")["done"] == 1


def test_the_version_is_in_the_api_and_the_log(stack: Stack) -> None:
    assert stats(stack)["version"] == VERSION
    assert call(f"{stack.url}/readyz").body["version"] == VERSION
    assert call(f"{stack.url}/openapi.json").body["info"]["version"] == VERSION
    [started] = [json.loads(line) for line in stack.logs().splitlines() if '"web.ready"' in line]
    assert started["version"] == VERSION


def test_a_wrong_operator_request_names_the_field(stack: Stack) -> None:
    for path in ("stats.json?minutes=7", "turns?status=done", "turns?limit=0", "session?session_id=a%20b", "session"):
        answer = call(f"{stack.url}/operator/{path}")
        assert (answer.status, answer.body["code"]) == (400, "invalid_request")
        assert (path.partition("?")[2].partition("=")[0] or "session_id") in answer.body["detail"]
    for path, body, field in (
        ("everything", {}, "kind"),
        ("tenant", {}, "name"),
        ("lane/fast", {}, "name"),
        ("workers", {"for_seconds": 0}, "for_seconds"),
        ("workers", {"why": "x"}, "why"),
    ):
        answer = call(f"{stack.url}/operator/pauses/{path}", method="PUT", body=body)
        assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)
    assert get(stack, "pauses")["data"] == []
    for field, wrong in (
        ("act", {}),
        ("act", {"act": "restore"}),
        ("all", {"act": "cancel"}),
        ("tenent", {"act": "cancel", "tenent": "acme"}),
        ("status", {"act": "retry", "status": "queued"}),
        ("code", {"act": "cancel", "code": "chain_error"}),
        ("accepted_before", {"act": "cancel", "accepted_before": "yesterday"}),
        ("accepted_before", {"act": "cancel", "accepted_before": 1700000000}),
        ("turn_ids.0", {"act": "discard", "turn_ids": ["all"]}),
        ("per_second", {"act": "retry", "all": True, "per_second": 0}),
    ):
        refused = put_job(stack, "wrong-job", **wrong)
        assert (refused.status, refused.body["code"]) == (400, "invalid_request"), wrong
        assert refused.body["detail"].startswith(f"{field}: "), refused.body["detail"]
    assert put_job(stack, "short", act="cancel", all=True).status == 400
    assert call(f"{stack.url}/operator/jobs/wrong-job").body["code"] == "job_not_found"
    assert call(f"{stack.url}/operator/turns/turn_{'f' * 32}").body["code"] == "turn_not_found"
    assert call(f"{stack.url}/operator/session?session_id=unknown").body["code"] == "session_not_found"
    for act in ("drain", "rescue"):
        assert post(stack, f"workers/unknown/{act}").body["code"] == "worker_not_found"


def test_live_turns_name_worker_and_followers_without_text(stack: Stack) -> None:
    turn_id = running(stack, "live", "live")
    behind = [stack.submit("live", PRIVATE) for _ in range(2)]
    for query in ({}, {"status": "in_progress"}, {"tenant": "-"}, {"text": "liv"}, {"text": turn_id[:12]}):
        found = get(stack, "turns", **query)
        [turn] = found["data"]
        assert (turn["id"], turn["behind"], turn["status"]) == (turn_id, 2, "in_progress")
        assert (found["found"], found["are_all"]) == (1, True)
    for query in ({"status": "queued"}, {"tenant": "acme"}, {"text": "other"}, {"worker": "unknown"}):
        assert get(stack, "turns", **query)["data"] == []
    [worker] = [worker for worker in stats(stack)["workers"] if worker["running_turns"]]
    assert (worker["name"], worker["running_turns"]) == (turn["worker"], [turn_id])
    assert get(stack, "turns", worker=worker["name"])["found"] == 1
    queue = get(stack, "session", session_id="live")
    assert [turn["id"] for turn in queue["turns"]] == [turn_id, *behind]
    assert why(stack, "live") == ["running"]
    shown = [stats(stack), get(stack, "turns"), timeline(stack, turn_id), queue]
    assert PRIVATE not in json.dumps(shown)
    stack.open_gate("live")
    stack.wait_until_finished(behind[-1])
    assert stats(stack)["live_turns"] == get(stack, "turns")["found"] == 0


def test_the_request_id_of_an_error_leads_to_the_turn(stack: Stack) -> None:
    body = {**turn_request("asked", f"{PRIVATE} [fail 400]"), "user_id": "u-7"}
    submitted = call(f"{stack.url}/v1/turns", method="POST", body=body, headers={"X-Request-Id": "from-the-proxy-1"})
    turn_id = submitted.body["id"]
    assert stack.wait_until_finished(turn_id)["status"] == "failed"
    [finding] = get(stack, "search", q="from-the-proxy-1")["findings"]
    assert finding["sentence"].startswith("Request from-the-proxy-1: 1 turn, failed ")
    assert [turn["id"] for turn in finding["turns"]] == [turn_id]
    assert timeline(stack, turn_id)["request_id"] == "from-the-proxy-1"
    assert run_job(stack, "it-was-found", act="discard", turn_ids=[turn_id])["done"] == 1


def test_ended_turns_are_found_by_their_values_in_pages(stack: Stack) -> None:
    turns = [stack.submit(f"values{n}", PRIVATE, user_id="u-8") for n in range(3)]
    for turn_id in turns:
        stack.wait_until_finished(turn_id)
    first = get(stack, "turns", ended="true", user_id="u-8", limit=2)
    rest = get(stack, "turns", ended="true", user_id="u-8", status="completed", after=first["after"])
    assert [turn["id"] for turn in (*first["data"], *rest["data"])] == turns[::-1]
    assert PRIVATE not in json.dumps([first, rest])
    assert get(stack, "turns", ended="true", user_id="u-8", status="failed")["data"] == []
    last = get(stack, "session", session_id="values0", user_id="u-8")["last"]
    assert [(turn["id"], turn["status"]) for turn in last] == [(turns[0], "completed")]


@pytest.mark.parametrize(
    ("query", "field"),
    [("user_id=u", "user_id"), ("status=failed", "status"), ("ended=true&after=x", "after"), ("ended=x", "ended")],
)
def test_a_wrong_search_names_the_field(stack: Stack, query: str, field: str) -> None:
    answer = call(f"{stack.url}/operator/turns?{query}")
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)


def test_reading_the_text_of_a_turn_is_logged(stack: Stack) -> None:
    turn_id = stack.submit("text", PRIVATE)
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    text = get(stack, f"turns/{turn_id}/text")
    assert text["input"] == PRIVATE
    assert text["output"].startswith(f"answer to {PRIVATE}")
    wait_until("it is in the audit log", lambda: (turn_id, None) in acted(stack, "read_text"))
    assert PRIVATE not in stack.logs()


def test_a_timeline_has_each_run_with_worker_and_error(stack: Stack) -> None:
    turn_id = stack.submit("retried", "hello [fail 503 1]")
    stack.wait_until_finished(turn_id)
    found = timeline(stack, turn_id)
    first, second = found["runs"]
    assert (first["attempt"], first["ended_by"], first["code"]) == (1, "retry", "provider_error")
    assert first["first_token_at"] is None
    assert (second["attempt"], second["ended_by"], second["code"]) == (2, "completed", None)
    assert found["accepted_at"] <= first["started_at"] <= first["ended_at"] <= second["started_at"]
    assert second["started_at"] <= second["first_token_at"] <= second["ended_at"] == found["finished_at"]
    assert [run["provider_request_id"] for run in (first, second)] == [f"req-of-{turn_id}-{n}" for n in (1, 2)]
    [wait] = found["waits"]
    assert (wait["reason"], wait["what"]) == ("retry", "provider_error")
    assert first["ended_at"] == wait["since"] <= wait["until"] <= second["started_at"]


def test_the_timeline_shows_a_killed_worker(stack: Stack) -> None:
    turn_id = stack.submit("killed", "hello [hold killed]")
    wait_until("it writes", lambda: (timeline(stack, turn_id)["runs"] or [{}])[0].get("first_token_at"))
    dead, process = holder(stack, turn_id)
    rescued = metric(stack, "inturn_turns_rescued_total")
    process.kill()
    stack.open_gate("killed")
    assert stack.wait_until_finished(turn_id)["losses"] == 1
    assert metric(stack, "inturn_turns_rescued_total") == rescued + 1
    first, second = timeline(stack, turn_id)["runs"]
    assert (first["worker"], first["attempt"], first["ended_by"]) == (dead, 1, "rescue")
    assert first["first_token_at"]
    assert (second["attempt"], second["ended_by"]) == (1, "completed")
    assert second["worker"] != dead
    assert [(wait["reason"], wait["what"]) for wait in timeline(stack, turn_id)["waits"]] == [("worker_lost", dead)]
    stack.replace_dead()


def test_a_session_shows_when_its_provider_pause_ends(stack: Stack) -> None:
    turn_id = stack.submit("limited", "hello [fail 429 1] [retry-after 2]")
    wait_until("it waits", lambda: why(stack, "limited") == ["model_paused"])
    [reason] = get(stack, "session", session_id="limited")["why"]
    assert reason["until"] == timeline(stack, turn_id)["retry_at"] > timeline(stack, turn_id)["accepted_at"]
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert why(stack, "limited") == []


def test_a_failed_turn_is_retried_or_discarded(stack: Stack) -> None:
    again, never = fail(stack, "one [fail 400 1]", times=2)
    assert {turn["id"] for turn in get(stack, "failed", code="provider_rejected")["data"]} == {again, never}
    assert run_job(stack, "one-turn", act="discard", turn_ids=[never], reason="a test")["done"] == 1
    assert [turn["id"] for turn in get(stack, "failed")["data"]] == [again]
    assert ended_job(stack, post(stack, "jobs/one-turn/undo").body["id"])["done"] == 1
    assert len(get(stack, "failed")["data"]) == 2
    assert run_job(stack, "once-more", act="discard", turn_ids=[never])["done"] == 1
    retried = post(stack, f"failed/{again}/retry")
    assert (retried.status, retried.body["retry_of"]) == (202, again)
    assert stack.wait_until_finished(retried.body["id"])["status"] == "completed"
    assert get(stack, "failed")["data"] == []
    assert post(stack, f"failed/{never}/retry").body["code"] == "turn_not_found"
    wait_until("it is in the audit log", lambda: (again, None) in acted(stack, "retry"))
    assert ("one-turn", 1) in acted(stack, "end_job")


def test_a_turn_and_a_session_of_any_tenant_are_cancelled(stack: Stack) -> None:
    first = running(stack, "stuck", "never")
    others = [stack.submit("stuck", f"next {n} [gate never]") for n in range(3)]
    cancelled = post(stack, f"turns/{first}/cancel", reason="asked by its user")
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert post(stack, f"turns/{first}/cancel").body["finished_at"] == cancelled.body["finished_at"]
    assert post(stack, "session/cancel", session_id="stuck").body == {"done": 3}
    assert {timeline(stack, turn_id)["status"] for turn_id in others} == {"cancelled"}
    assert post(stack, "session/cancel", session_id="stuck").body["done"] == 0
    assert post(stack, "session/cancel", session_id="no-such").body["code"] == "session_not_found"
    assert post(stack, "turns/turn_0/cancel").body["code"] == "turn_not_found"
    wait_until("it is in the audit log", lambda: [n for _, n in acted(stack, "cancel_session")] == [3, 0])
    assert '"reason": "asked by its user"' in stack.logs()
    [entry] = [entry for entry in get(stack, "audit", what=first)["data"] if entry["reason"]]
    assert (entry["action"], entry["reason"], entry["target_tenant"]) == ("cancel", "asked by its user", "-")
    assert entry["request_id"] in stack.logs()
    [last, first] = get(stack, "audit", action="cancel_session", tenant="-", since=entry["at"])["data"]
    assert (first["details"], last["details"], last["what"]) == ({"count": 3}, {"count": 0}, "stuck")


def test_what_was_confirmed_is_retried_and_no_more(stack: Stack) -> None:
    rejected, hopeless = fail(stack, "again [fail 400 1]", times=3), fail(stack, "never [fail 401]", times=2)
    preview = get(stack, "preview", act="retry")
    assert (preview["count"], preview["by_code"]) == (5, {"provider_rejected": 3, "provider_authentication": 2})
    assert set(preview["turn_ids"]) == {*rejected, *hopeless}, "their sessions end in any order"
    [later] = fail(stack, "later [fail 400]", times=1)
    confirmed = {"act": "retry", "code": "provider_rejected", "before": preview["before"], "reason": "provider is well"}
    job = run_job(stack, "retry-them", **confirmed)
    assert (job["status"], job["total"], job["done"], job["reason"]) == ("completed", 3, 3, "provider is well")
    assert put_job(stack, "retry-them", **confirmed).body == job, "repeated, it has no further effect"
    assert put_job(stack, "retry-them", act="cancel", all=True).body["code"] == "idempotency_key_reused"
    again = [turn for turn in call(f"{stack.url}/v1/turns").body["data"] if turn["retry_of"] in rejected]
    assert {turn["retry_of"] for turn in again} == set(rejected)
    for turn in again:
        assert stack.wait_until_finished(turn["id"])["status"] == "completed"
    assert {turn["id"] for turn in get(stack, "failed")["data"]} == {later, *hopeless}
    assert run_job(stack, "discard-all", act="discard", all=True)["done"] == 3
    assert stack.turn(hopeless[0])["status"] == "failed", "its record stays"
    assert [job["id"] for job in get(stack, "jobs")["data"]][:2] == ["discard-all", "retry-them"]
    wait_until("both ends are in the audit log", lambda: ("discard-all", 3) in acted(stack, "end_job"))
    assert [what for what, _ in acted(stack, "begin_job")].count("retry-them") == 1
    assert ("retry-them", 3) in acted(stack, "end_job")


def test_live_turns_are_cancelled_by_filter_and_stopped(stack: Stack) -> None:
    sessions = [f"bulk{n}" for n in range(4)]
    turns = [stack.submit(name, "wait [gate never]", user_id="bob") for name in sessions for _ in range(2)]
    wait_until("some run", lambda: get(stack, "turns", status="in_progress")["found"] >= 2)
    assert get(stack, "preview", act="cancel", user_id="bob")["count"] == 8
    put_job(stack, "cancel-slowly", act="cancel", user_id="bob", per_second=1)
    wait_until("it has begun", lambda: get(stack, "jobs/cancel-slowly")["done"])
    assert post(stack, "jobs/cancel-slowly/stop").status == 200
    job = ended_job(stack, "cancel-slowly")
    assert (job["status"], job["done"] < 8) == ("stopped", True)
    rest = run_job(stack, "cancel-rest", act="cancel", user_id="bob")
    assert job["done"] + rest["done"] == 8
    assert {timeline(stack, turn_id)["status"] for turn_id in turns} == {"cancelled"}
    assert post(stack, "jobs/cancel-rest/undo").status == 400


def test_a_pause_is_shown_and_holds_until_it_is_resumed(stack: Stack) -> None:
    for part in ("intake", "workers"):
        [paused] = pause(stack, part, reason="maintenance", for_seconds=600)
        assert (paused["kind"], paused["reason"]) == (part, "maintenance")
        assert set(stats(stack)["paused"]) == {part}
        if part == "intake":
            refused = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("paused", "hello"))
            assert (refused.status, refused.body["code"]) == (503, "intake_paused")
        else:
            turn_id = stack.submit("paused", "hello")
            assert why(stack, "paused") == ["workers_paused"]
            assert stats(stack)["held_turns"] == {"workers_paused": 1}
        resume(stack, part)
        assert get(stack, "pauses")["data"] == []
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    wait_until("it is in the audit log", lambda: ("workers", None) in acted(stack, "resume"))
    assert ("intake", None) in acted(stack, "pause")


def test_a_paused_assistant_waits_without_the_reason_for_callers(stack: Stack) -> None:
    pause(stack, "assistant/example", reason="a secret reason")
    turn_id = stack.submit("apart", "hello", assistant="example", variables={"ability": "math"})
    wait_until("it waits for that", lambda: (stack.turn(turn_id)["queue"] or {}).get("waiting_for") == "pause")
    assert "secret" not in json.dumps(stack.turn(turn_id))
    assert why(stack, "apart") == ["paused"]
    assert stack.wait_until_finished(stack.submit("beside", "hello"))["status"] == "completed"
    resume(stack, "assistant/example")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"


def test_a_drained_worker_finishes_its_turns_and_takes_no_more(stack: Stack) -> None:
    turn_id = running(stack, "drained", "drained")
    name, process = holder(stack, turn_id)
    assert post(stack, f"workers/{quote(name)}/rescue").body["code"] == "worker_alive"
    assert post(stack, f"workers/{quote(name)}/drain").status == 204
    wait_until("it drains", lambda: "worker.draining" in stack.logs())
    [worker] = [worker for worker in stats(stack)["workers"] if worker["is_draining"]]
    assert (worker["name"], worker["running_turns"]) == (name, [turn_id])
    others = [stack.submit(f"taken{n}", "hello") for n in range(5)]
    for other in others:
        stack.wait_until_finished(other)
        [run] = timeline(stack, other)["runs"]
        assert run["worker"] != name
    assert process.is_running
    stack.open_gate("drained")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    [run] = timeline(stack, turn_id)["runs"]
    assert (run["worker"], run["ended_by"]) == (name, "completed")
    wait_until("it has ended", lambda: not process.is_running)
    assert [worker["name"] for worker in stats(stack)["workers"]] != [name]
    wait_until("it is in the audit log", lambda: (name, None) in acted(stack, "drain"))


def test_workers_are_drained_one_by_one(stack: Stack) -> None:
    stack.replace_dead()
    wait_until("all report", lambda: states(stack).count("running") == 2)
    before = {worker["name"] for worker in get(stack, "workers")["data"]}
    command = [sys.executable, "-m", "inturn", "--url", stack.url, "drain", "--all", "--one-by-one"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as drain:

        def has_ended() -> bool:
            stack.replace_dead()
            return drain.poll() is not None

        wait_until("the command ends", has_ended, seconds=60)
        output = drain.communicate()[0]
    assert drain.returncode == 0, output
    assert output.startswith("1 of 2: draining ")
    found = get(stack, "workers")
    running = [worker for worker in found["data"] if worker["state"] == "running"]
    assert len(running) == 2
    assert not {worker["name"] for worker in running} & before
    assert all(worker["version"] == VERSION and worker["slots"] and worker["started_at"] for worker in running)
    assert [process["state"] for process in found["web_processes"]] == ["running"]


def states(stack: Stack) -> list[str]:
    return [worker["state"] for worker in get(stack, "workers")["data"]]


def test_without_workers_that_is_the_reason(stack: Stack) -> None:
    for worker in stack.workers:
        if worker.is_running:
            worker.stop()
    stack.submit("alone", "hello")
    assert why(stack, "alone") == ["no_worker"]
    assert stats(stack)["workers"] == []


def test_an_emptied_store_is_reported(stack: Stack) -> None:
    stack.store.raw.flushall()

    def is_reported() -> bool:
        return "store_replaced" in [finding["code"] for finding in stats(stack)["findings"]]

    wait_until("the endpoint has noticed it", is_reported, seconds=30)
    assert "store.replaced" in stack.logs()
