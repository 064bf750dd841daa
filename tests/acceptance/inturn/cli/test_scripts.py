"""The command in a script: data on stdout, only errors on stderr, and the exit code."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from inturn import Client
from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack
from tests.support.waiting import wait_until


def test_stdout_is_only_the_answer(inturn: Inturn) -> None:
    ran = inturn("send", "hello")
    assert (ran.returncode, ran.stderr) == (Exit.OK, "")
    assert ran.stdout.startswith("answer to hello")
    assert ran.stdout.count("\n") == 1


def test_the_text_is_read_from_a_pipe(inturn: Inturn) -> None:
    for arguments in (("send", "-"), ("send",)):
        assert inturn(*arguments, stdin="from a\npipe\n").stdout.startswith("answer to from a\npipe ")


def test_continue_uses_the_last_session_and_its_variables(inturn: Inturn) -> None:
    example = ("-a", "example", "-v", "ability=math")
    first = json.loads(inturn("send", "one", *example, "--user", "alice", "--wait", "--json").stdout)
    second = json.loads(inturn("send", "two", "-c", "--wait", "--json").stdout)
    assert (second["session_id"], second["user_id"], second["sequence"]) == (first["session_id"], "alice", 2)
    assert inturn("send", "two", "-c", "-s", "other").returncode == Exit.USAGE


def test_continue_without_a_last_session_is_a_usage_error(inturn: Inturn) -> None:
    ran = inturn("send", "two", "-c")
    assert ran.returncode == Exit.USAGE
    assert "no session" in ran.stderr


def test_a_detached_turn_can_be_waited_for(inturn: Inturn, stack: Stack) -> None:
    turn_id = inturn("send", "hello [gate detached]", "--detach").stdout.strip()
    running = inturn("get", turn_id)
    assert (running.returncode, running.stdout, running.stderr.count("\n")) == (Exit.OK, "", 1)
    waited = inturn("get", turn_id, "--wait", "0.2")
    assert waited.returncode == Exit.STILL_RUNNING
    assert "still in_progress" in waited.stderr
    stack.open_gate("detached")
    assert inturn("get", turn_id, "--wait", "20").stdout.startswith("answer to hello")
    assert json.loads(inturn("get", turn_id, "--json").stdout)["status"] == "completed"


def test_turns_are_regenerated_forked_and_deleted(inturn: Inturn, client: Client) -> None:
    first = client.turns.create("edited", "one").wait()
    again = client.turns.wait(inturn("regenerate", first.id, "eins").stdout.strip())
    assert (again.input, again.regenerates, again.status) == ("eins", first.id, "completed")
    second = client.turns.create("edited", "two").wait()
    ran = inturn("regenerate", again.id, "--into", "branch")
    assert "new session branch" in ran.stderr
    assert client.turns.get(ran.stdout.strip()).session_id == "branch"
    assert inturn("fork", "edited", "--through", again.id, "--into", "copy").stdout == "copy\n"
    assert client.sessions.get("copy").message_count == 2
    assert inturn("delete", second.id).returncode == Exit.OK
    assert client.sessions.get("edited").message_count == 2
    assert inturn("cancel", second.id, "--keep", "--reason", "x").returncode == Exit.USAGE


def test_watch_prints_the_questions_and_answers_of_all(inturn: Inturn, stack: Stack) -> None:
    for text in ("one [gate watched]", "two"):
        stack.submit("watched", text)
    watching = inturn.start("watch", "watched", "--until-idle")
    wait_until("it is connected", lambda: stack.store.raw.pubsub_channels("inturn:live:watched"))
    stack.open_gate("watched")
    printed, errors = watching.communicate(timeout=60)
    assert (watching.returncode, errors) == (Exit.OK, "")
    lines = printed.splitlines()
    assert [line.split("[")[0].strip() for line in lines[::2]] == ["> one", "> two"]
    assert lines[1].startswith("answer to one")
    assert lines[3].startswith("answer to two")


def test_events_are_printed_to_stderr_only_if_asked_for(inturn: Inturn) -> None:
    usage = inturn("send", "hello", "--wait", "--events")
    assert (usage.returncode, "--events requires --stream" in usage.stderr) == (Exit.USAGE, True)


def test_a_json_stream_ends_with_the_turn(inturn: Inturn) -> None:
    ran = inturn("send", "hello [words 20] [pace 0.05]", "--stream", "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    text = "".join(event["text"] for event in events if event["event"] == "delta")
    assert events[-1]["event"] == "done"
    assert events[-1]["turn"]["output"]["content"] == text


def test_an_operator_finds_a_user_and_a_request(inturn: Inturn, client: Client) -> None:
    turn = client.turns.create("found", "hello", user_id="u-323")
    turn.wait()
    ran = inturn("find", "u-323")
    assert ran.returncode == Exit.OK
    sentence, row = ran.stdout.splitlines()
    assert sentence.startswith("User u-323: 1 session, 1 turn, completed ")
    assert row.split("\t") == [turn.id, "-", "u-323", "completed", row.split("\t")[4], "found"]
    answer = json.loads(inturn("find", turn.id, "--json").stdout)
    request_id = answer["findings"][0]["turns"][0]["request_id"]
    assert inturn("find", request_id).stdout.startswith(f"Request {request_id}: 1 turn, completed ")


def test_nothing_found_suggests_names(inturn: Inturn, client: Client) -> None:
    client.turns.create("suggested", "hello").wait()
    ran = inturn("find", "suggest")
    assert (ran.returncode, ran.stdout) == (Exit.REFUSED, "")
    assert ran.stderr.startswith("Nothing is named “suggest”: ")
    assert "\n  session suggested\n" in ran.stderr


def test_the_turn_continues_after_a_timeout(inturn: Inturn, client: Client, stack: Stack) -> None:
    ran = inturn("send", "hello [gate timeout]", "-s", "timeout", "--timeout", "0.3")
    assert ran.returncode == Exit.STILL_RUNNING
    stack.open_gate("timeout")
    assert next(client.turns.list(session_id="timeout")).wait(60).status == "completed"


def test_a_failed_turn_is_reported_and_can_be_retried(inturn: Inturn) -> None:
    ran = inturn("send", "hello [fail 400 1]", "--json", "--wait")
    assert ran.returncode == Exit.NO_ANSWER
    assert "provider_rejected" in ran.stderr
    retried = inturn("retry", json.loads(ran.stdout)["id"])
    assert inturn("get", retried.stdout.strip(), "--wait", "20").returncode == Exit.OK
    assert inturn("retry", retried.stdout.strip()).returncode == Exit.REFUSED


def test_cancel_prints_the_status_of_each_turn(inturn: Inturn) -> None:
    turn_id = inturn("send", "hello [gate never]", "--detach").stdout.strip()
    assert inturn("cancel", turn_id).stdout == f"{turn_id}\tcancelled\n"
    assert inturn("get", turn_id).returncode == Exit.CANCELLED


def test_an_operator_cancels_the_turn_of_another_tenant(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=0, INTURN_REQUIRE_KEYS="true")
    shop, ops, other = (
        Inturn(stack.url, tmp_path, INTURN_API_KEY=stack.create_api_key(tenant, "--scopes", scopes))
        for tenant, scopes in (("acme", "turns"), ("ops", "operator,turns"), ("ops", "operator"))
    )
    first, second, third = (shop("send", "hello", "--detach").stdout.strip() for _ in range(3))
    assert ops("cancel", first).stdout == f"{first}\tcancelled\n"
    assert other("cancel", second).stdout == f"{second}\tcancelled\n"
    refused = shop("cancel", third, "--reason", "mine")
    assert (refused.returncode, refused.stdout) == (Exit.REFUSED, "")
    assert other("cancel", third, "--reason", "flood").stdout == f"{third}\tcancelled\n"
    assert other("audit", "--what", third, "--until", "1h").stdout == ""
    assert other("audit", "--what", third).stdout.split("\t")[-1] == "flood\n"
    unknown = shop("cancel", "no-such-turn")
    assert (unknown.returncode, "turn_not_found" in unknown.stderr) == (Exit.REFUSED, True)


def test_ctrl_c_cancels_the_turn(inturn: Inturn, client: Client) -> None:
    process = inturn.start("send", "hello [gate never]", "-s", "ctrl-c")
    wait_until("the turn runs", lambda: list(client.turns.list(session_id="ctrl-c", status="in_progress")))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (Exit.CANCELLED, "", "")
    assert next(client.turns.list(session_id="ctrl-c")).status == "cancelled"


def test_lists_are_tab_separated_lines(inturn: Inturn, client: Client) -> None:
    turn = client.turns.create("listed", "two\nlines\tand a tab").wait()
    [line] = inturn("turns", "ls", "--session", "listed").stdout.splitlines()
    assert line.split("\t")[:3] == [turn.id, "listed", "completed"]
    assert line.endswith("two lines and a tab")
    assert json.loads(inturn("turns", "ls", "-s", "listed", "--json").stdout)["id"] == turn.id
    assert inturn("turns", "ls", "-s", "listed", "--status", "failed").stdout == ""
    assert any(row.startswith("listed\t\tidle\t2\t") for row in inturn("sessions", "ls").stdout.splitlines())


def test_a_session_is_shown_exported_and_erased(inturn: Inturn, client: Client, tmp_path: Path) -> None:
    answer = client.turns.create("kept", "hello").wait().text
    assert inturn("sessions", "show", "kept").stdout == f"> hello\n< {answer}\n"
    assert inturn("sessions", "show", "kept", "-n", "1").stdout == f"< {answer}\n"
    assert inturn("sessions", "export", "kept", "-o", str(tmp_path / "kept.jsonl")).returncode == Exit.OK
    exported = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert [message["content"] for message in exported] == ["hello", answer]
    assert inturn("sessions", "rm", "kept").returncode == Exit.USAGE, "there is no terminal to ask for confirmation"
    assert inturn("sessions", "rm", "kept", "--yes").returncode == Exit.OK
    gone = inturn("sessions", "show", "kept")
    assert (gone.returncode, gone.stdout) == (Exit.REFUSED, "")


def test_usage_is_shown_with_its_sum(inturn: Inturn, client: Client) -> None:
    client.turns.create("used", "hello", user_id="usage-of-cli").wait()
    assert client.usage(by="user", user_id="usage-of-cli")["total"]["turns"] == 1
    ran = inturn("usage", "--by", "user,model", "--user", "usage-of-cli")
    lines = [line.split("\t") for line in ran.stdout.splitlines()]
    assert [line[:3] for line in lines] == [["usage-of-cli", "gpt-4o-mini", "1"], ["TOTAL", "", "1"]]
    of_all = json.loads(inturn("usage", "--all", "--by", "tenant,user", "--user", "usage-of-cli", "--json").stdout)
    assert (of_all["tenant"], of_all["user_id"], of_all["turns"]) == ("-", "usage-of-cli", 1)
    assert inturn("usage", "--tenant", "acme").returncode == Exit.USAGE


def test_top_prints_the_state_once(inturn: Inturn) -> None:
    state = json.loads(inturn("top").stdout)
    assert (state["live_workers"], state["durability"], state["running_turns"]) == (1, "always", 0)
    assert state["findings"]
    assert "tenants" in state
    assert "series" not in state


def test_limits_of_a_tenant_apply_at_once_and_are_reset(inturn: Inturn, stack: Stack) -> None:
    set_limits = inturn("tenants", "set", "-", "--concurrency", "1", "--for", "2h", "--reason", "flood", "--json")
    assert set_limits.returncode == Exit.OK
    own = json.loads(set_limits.stdout)["own_limits"]
    assert (own["concurrency"], own["backlog"], own["reason"]) == (1, None, "flood")
    first, second = (stack.submit(f"limited{n}", f"hello [gate limited{n}]") for n in range(2))
    stack.wait_until_running(first)
    [line] = [line.split("\t") for line in inturn("tenants").stdout.splitlines()]
    assert (line[:4], line[-1]) == (["-", "2", "1", "1"], "concurrency 1")
    reset = inturn("tenants", "reset", "-")
    assert (reset.returncode, "concurrency\tunlimited (default)\n" in reset.stdout) == (Exit.OK, True)
    stack.wait_until_running(second)
    assert "\nrunning\t2\n" in inturn("tenants", "show", "-").stdout
    for n, turn_id in enumerate((first, second)):
        stack.open_gate(f"limited{n}")
        stack.wait_until_finished(turn_id)
    wrong = inturn("tenants", "set", "a b", "--rate", "5")
    assert (wrong.returncode, wrong.stderr.partition(":")[0]) == (Exit.REFUSED, "tenant")


def test_a_part_is_paused_and_resumed(inturn: Inturn, stack: Stack) -> None:
    paused = inturn("pause", "lane", "batch", "--reason", "night shift", "--for", "30m")
    [line] = [line.split("\t") for line in paused.stdout.splitlines()]
    assert (paused.returncode, line[:2], line[-1]) == (Exit.OK, ["lane", "batch"], "night shift")
    turn_id = stack.submit("night", "hello", lane="batch")
    wait_until("it waits", lambda: json.loads(inturn("pauses", "--json").stdout)["waiting_turns"] == 1)
    assert json.loads(inturn("get", turn_id, "--json").stdout)["queue"]["waiting_for"] == "pause"
    assert inturn("resume", "lane", "batch").returncode == Exit.OK
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert inturn("pauses").stdout == ""
    wrong = inturn("pause", "lane", "fast")
    assert (wrong.returncode, wrong.stderr.partition(":")[0]) == (Exit.REFUSED, "name")


def test_workers_are_listed_with_version_and_slots(inturn: Inturn) -> None:
    worker, web = (json.loads(line) for line in inturn("workers", "--json").stdout.splitlines())
    assert (worker["kind"], worker["state"], web["kind"], web["state"]) == ("loop", "running", "web", "running")
    assert worker["version"] == web["version"]
    assert worker["slots"] > 0
    assert inturn("workers").stdout.count("\n") == 2


def test_drain_needs_a_known_worker_or_all(inturn: Inturn) -> None:
    for arguments in ((), ("w", "--all"), ("w", "--one-by-one")):
        assert inturn("drain", *arguments).returncode == Exit.USAGE
    unknown = inturn("drain", "no:such:worker")
    assert (unknown.returncode, unknown.stdout) == (Exit.REFUSED, "")


def test_a_worker_with_heartbeats_keeps_its_turns(inturn: Inturn) -> None:
    name = json.loads(inturn("workers", "--json").stdout.splitlines()[0])["name"]
    refused = inturn("rescue", name, "--reason", "it hangs")
    assert (refused.returncode, refused.stdout) == (Exit.REFUSED, "")
    assert "sends heartbeats" in refused.stderr


def test_chat_reads_lines_from_a_pipe(inturn: Inturn) -> None:
    ran = inturn("chat", stdin="one\n\ntwo\n/history\n")
    assert ran.returncode == Exit.OK
    lines = ran.stdout.splitlines()
    assert [line.rpartition(" ")[0] for line in lines[:2]] == ["answer to one", "answer to two"]
    assert lines[2:] == ["> one", f"< {lines[0]}", "> two", f"< {lines[1]}"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("send", "hello", "-a", "example"), Exit.REFUSED, "--var NAME=VALUE"),
        (("get", "nonsense"), Exit.REFUSED, "turn_not_found"),
        (("send", "hello", "-v", "ability"), Exit.USAGE, "NAME=VALUE"),
        (("--url", "ftp://x", "get", "x"), Exit.USAGE, "must be like"),
        (("--url", "http://127.0.0.1:1", "get", "x"), Exit.UNAVAILABLE, "inturn up"),
        (("nonsense",), Exit.USAGE, "No such command"),
    ],
)
def test_errors_are_printed_only_to_stderr(
    inturn: Inturn, arguments: tuple[str, ...], code: Exit, message: str
) -> None:
    ran = inturn(*arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_closed_stdout_is_not_an_error(inturn: Inturn, client: Client) -> None:
    for _ in range(2):  # more than a pipe holds
        client.turns.create("enough", "x" * 30_000).wait()
    process = inturn.start("sessions", "show", "enough")
    assert process.stdout
    assert process.stderr
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(60) == Exit.OK
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_batch_writes_results_in_order_with_failures(inturn: Inturn, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    lines = [{"input": f"q{n} [delay {0.2 if n % 7 == 0 else 0}]"} for n in range(120)]
    lines[5]["input"] = "q5 [fail 400]"
    lines[6]["input"] = ""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = inturn("batch", str(file))
    assert (ran.returncode, ran.stdout, ran.stderr) == (Exit.NO_ANSWER, "", "")
    results = [json.loads(line) for line in (tmp_path / "in.jsonl.results.jsonl").read_text().splitlines()]
    assert [result["line"] for result in results] == list(range(1, 121))
    assert results[5]["turn"]["error"]["code"] == "provider_rejected"
    assert results[6]["problem"]["code"] == "invalid_request"
    for n in {*range(120)} - {5, 6}:
        assert results[n]["turn"]["output"]["content"].startswith(f"answer to q{n} ")


def test_a_killed_batch_resumes_and_calls_no_model_twice(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=1)
    inturn = Inturn(stack.url, tmp_path / "state")
    file, part = tmp_path / "in.jsonl", tmp_path / "in.jsonl.results.jsonl.part"
    file.write_text("".join(json.dumps({"input": f"q{n} [delay 0.1]"}) + "\n" for n in range(200)))
    process = inturn.start("batch", str(file))
    wait_until("some results are written", lambda: part.exists() and part.read_bytes().count(b"\n") > 60)
    process.kill()
    process.communicate()
    assert inturn("batch", str(file)).returncode == Exit.OK
    results = [json.loads(line) for line in (tmp_path / "in.jsonl.results.jsonl").read_text().splitlines()]
    assert [result["turn"]["input"] for result in results] == [f"q{n} [delay 0.1]" for n in range(200)]
    assert len(stack.model_requests()) == 200
    assert inturn("batch", str(file)).returncode == Exit.USAGE, "the results already exist"
