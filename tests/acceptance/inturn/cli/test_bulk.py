"""The commands with which operators act on many turns, in a script and at a terminal."""

import json

import pytest

from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_CONCURRENCY": "2"}


def fail(stack: Stack, session_id: str, text: str) -> str:
    turn_id = stack.submit(session_id, text)
    assert stack.wait_until_finished(turn_id)["status"] == "failed"
    return turn_id


def test_failed_turns_are_listed_retried_and_discarded(inturn: Inturn, stack: Stack) -> None:
    again = [fail(stack, f"again{n}", f"{n} [fail 401 1]") for n in range(2)]
    never = fail(stack, "never", "hello [fail 400]")
    rows = [line.split("\t") for line in inturn("failed", "ls").stdout.splitlines()]
    assert (rows[0][0], rows[0][3]) == (never, "provider_rejected")
    assert len(inturn("failed", "ls", "-n", "1").stdout.splitlines()) == 1
    [found] = inturn("failed", "ls", "--session", "again0", "--json").stdout.splitlines()
    assert json.loads(found)["id"] == again[0]

    unconfirmed = inturn("failed", "retry", "--code", "provider_authentication")
    assert unconfirmed.returncode == Exit.USAGE
    assert "Retry 2 failed turns? Add --yes" in unconfirmed.stderr
    assert "or --all" in inturn("failed", "retry", "--yes").stderr
    retried = inturn("failed", "retry", "--code", "provider_authentication", "--yes", "--reason", "new key", "--json")
    job = json.loads(retried.stdout)
    assert (retried.returncode, job["done"], job["reason"]) == (Exit.OK, 2, "new key")

    discarded = inturn("failed", "discard", never)
    assert (discarded.returncode, discarded.stdout.split("\t")[1:]) == (Exit.OK, ["completed", "1 of 1 done\n"])
    assert inturn("failed", "ls").stdout == ""
    job_id = discarded.stdout.split("\t")[0]
    assert [line.split("\t")[0] for line in inturn("jobs", "ls").stdout.splitlines()] == [job_id, job["id"]]
    assert inturn("jobs", "undo", job_id).returncode == Exit.OK
    assert inturn("failed", "ls").stdout.startswith(never)
    assert inturn("failed", "discard", "--all", "--tenant", "acme", "--yes").stderr == "No turn matches.\n"
    assert inturn("jobs", "show", "no-such-job").returncode == Exit.REFUSED
    assert inturn("failed", "retry", never, "--all").returncode == Exit.USAGE


def test_live_turns_are_cancelled_by_conditions(inturn: Inturn, stack: Stack) -> None:
    turns = [stack.submit(f"live{n}", "wait [gate never]", user_id="bob") for n in range(3)]
    other = stack.submit("other", "wait [gate never]", user_id="eve")
    assert inturn("cancel", "--user", "bob", "--older-than", "1d", "--yes").stderr == "No turn matches.\n"
    detached = inturn("cancel", "--user", "bob", "--yes", "--no-wait", "--per-second", "1").stdout.split("\t")[0]
    assert inturn("jobs", "stop", detached).returncode == Exit.OK
    assert inturn("jobs", "show", detached).returncode == Exit.CANCELLED
    assert inturn("cancel", "--user", "bob", "--yes").returncode == Exit.OK
    assert {stack.turn(turn_id)["status"] for turn_id in turns} == {"cancelled"}
    assert inturn("cancel", other).stdout == f"{other}\tcancelled\n"
    assert inturn("cancel").returncode == Exit.USAGE


def test_a_terminal_is_asked_before_anything_happens(inturn: Inturn, stack: Stack) -> None:
    turn_id = stack.submit("asked", "wait [gate never]", user_id="ann")
    declined = inturn.at_terminal("cancel", "--user", "ann")
    declined.wait_for("Cancel 1 live turn? [y/N]")
    declined.type("n\n")
    assert declined.wait_for_end() == Exit.INTERRUPTED
    assert stack.turn(turn_id)["finished_at"] is None
    agreed = inturn.at_terminal("cancel", "--user", "ann")
    agreed.wait_for("[y/N]")
    agreed.type("y\n")
    assert agreed.wait_for_end() == Exit.OK
    assert "1 of 1 done" in agreed.screen
    wait_until("it is cancelled", lambda: stack.turn(turn_id)["status"] == "cancelled")
