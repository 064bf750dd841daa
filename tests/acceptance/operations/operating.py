"""Requests of operators, for the tests."""

import json
from typing import Any
from urllib.parse import urlencode

from tests.support.processes import HttpResponse, Process, Stack, call
from tests.support.waiting import wait_until

PRIVATE = "a confidential text"


def get(stack: Stack, path: str, **query: Any) -> Any:
    answer = call(f"{stack.url}/operator/{path}?{urlencode(query)}")
    assert answer.status == 200, answer
    return answer.body


def post(stack: Stack, path: str, **query: Any) -> HttpResponse:
    return call(f"{stack.url}/operator/{path}?{urlencode(query)}", method="POST")


def pause(stack: Stack, part: str, **body: Any) -> list[dict[str, Any]]:
    """Pause a part and return all pauses."""
    answer = call(f"{stack.url}/operator/pauses/{part}", method="PUT", body=body)
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.body["data"]
    return found


def resume(stack: Stack, part: str) -> None:
    answer = call(f"{stack.url}/operator/pauses/{part}", method="DELETE")
    assert answer.status == 200, answer


def put_job(stack: Stack, job_id: str, **body: Any) -> HttpResponse:
    return call(f"{stack.url}/operator/jobs/{job_id}", method="PUT", body=body)


def run_job(stack: Stack, job_id: str, **body: Any) -> Any:
    """Create a job, wait for its end, and return it."""
    created = put_job(stack, job_id, **body)
    assert created.status == 202, created
    return ended_job(stack, job_id)


def ended_job(stack: Stack, job_id: str) -> Any:
    wait_until("the job has ended", lambda: get(stack, f"jobs/{job_id}")["finished_at"])
    return get(stack, f"jobs/{job_id}")


def stats(stack: Stack) -> Any:
    return get(stack, "stats.json")


def timeline(stack: Stack, turn_id: str) -> Any:
    return get(stack, f"turns/{turn_id}")


def why(stack: Stack, session_id: str) -> list[str]:
    return [reason["reason"] for reason in get(stack, "session", session_id=session_id)["why"]]


def running(stack: Stack, session_id: str, gate: str) -> str:
    """Submit a turn that runs until the gate is opened; return its id."""
    turn_id = stack.submit(session_id, f"{PRIVATE} [gate {gate}]")
    wait_until("it runs", lambda: timeline(stack, turn_id)["status"] == "in_progress")
    return turn_id


def holder(stack: Stack, turn_id: str) -> tuple[str, Process]:
    """Return the name and the process of the worker that runs the turn."""
    name: str = timeline(stack, turn_id)["runs"][-1]["worker"]
    return name, next(worker for worker in stack.workers if f":{worker.pid}:" in name)


def fail(stack: Stack, text: str, *, times: int) -> list[str]:
    """Let turns fail, each in its own session; return their ids."""
    turns = [stack.submit(f"fails{n}", f"{text} {n}") for n in range(times)]
    for turn_id in turns:
        assert stack.wait_until_finished(turn_id)["status"] == "failed"
    return turns


def acted(stack: Stack, action: str) -> list[tuple[str, int | None]]:
    """Return the audit log of an action: its objects and their numbers."""
    lines = [json.loads(line) for line in stack.logs().splitlines() if '"operator.acted"' in line]
    return [(line["what"], line.get("count")) for line in lines if line["action"] == action]
