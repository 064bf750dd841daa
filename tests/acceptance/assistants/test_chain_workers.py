"""Custom chains in chain workers: they may block, compute and use asyncio without delaying anything else."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.assistants.test_assistants import submit
from tests.acceptance.assistants.test_custom_chains import deltas, run
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until

FILE = """
[assistants.default]
system = "Be brief."
[assistants.coroutine]
chain = "tests.acceptance.assistants.chains:coroutine"
[assistants.computing]
chain = "tests.acceptance.assistants.chains:computing"
[assistants.blocked]
chain = "tests.acceptance.assistants.chains:blocked"
total_seconds = 1
[assistants.async-words]
chain = "tests.acceptance.assistants.chains:async_words"
[assistants.async-graph]
chain = "tests.acceptance.assistants.chains:async_graph"
[assistants.async-exit]
chain = "tests.acceptance.assistants.chains:async_exit"
[assistants.model-in-loops]
chain = "tests.acceptance.assistants.chains:model_in_loops"
[assistants.crash]
chain = "tests.acceptance.assistants.chains:crash"
runs_in = "process"
[assistants.separate]
chain = "examples.chains.haiku:build"
variables.season = { default = "autumn" }
runs_in = "process"
[assistants.identity]
chain = "tests.acceptance.assistants.chains:identity"
[assistants.orders]
chain = "examples.chains.orders:build"
[assistants.order]
chain = "tests.acceptance.assistants.chains:order"
"""


@pytest.fixture(scope="module")
def chain_workers() -> int:
    return 1


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("chains") / "assistants.toml"
    file.write_text(FILE)
    return {"INTURN_ASSISTANTS": str(file)}


@pytest.mark.parametrize("assistant", ["async-words", "async-graph", "model-in-loops"])
def test_asynchronous_chains_overlap(stack: Stack, assistant: str) -> None:
    question = "hello [call clock]" if assistant == "async-graph" else "hello"
    turns = [submit(stack, f"{assistant}-{n}", question, assistant) for n in range(5)]
    ended = [stack.wait_until_finished(turn) for turn in turns]
    assert [turn["status"] for turn in ended] == ["completed"] * 5, stack.logs()[-3000:]
    assert deltas(stack, turns[0]) == ended[0]["output"]["content"]


def test_an_exit_in_an_asynchronous_chain_fails_only_its_turn(stack: Stack) -> None:
    assert run(stack, "exit", "hello", "async-exit")["error"]["code"] == "chain_error"
    assert run(stack, "exit", "hello", "async-words")["status"] == "completed"


def test_a_crash_in_a_process_fails_only_its_turn(stack: Stack) -> None:
    beside = submit(stack, "beside", "long [words 20] [pace 0.05]", "separate")
    assert run(stack, "crash", "hello", "crash")["error"]["code"] == "chain_error"
    turn = stack.wait_until_finished(beside)
    assert (turn["status"], turn["attempt"], turn["usage"]["total_tokens"] > 0) == ("completed", 1, True)
    assert deltas(stack, beside) == turn["output"]["content"]


def test_cancel_closes_the_connection_of_an_asynchronous_chain(stack: Stack) -> None:
    question = "long [words 600] [pace 0.05]"
    turn = submit(stack, "leave", question, "async-graph")
    stack.wait_until_streaming(turn, events=3)
    call(f"{stack.url}/v1/turns/{turn}/cancel", method="POST")
    stack.wait_until_disconnected(question)


def test_the_turns_of_a_killed_chain_worker_run_once_more(stack: Stack) -> None:
    """It is killed alone; what it has started must end by itself."""
    on_loop, in_thread, in_process = "async-graph", "model-in-loops", "separate"
    turns = {
        name: submit(stack, f"killed-{name}", f"{name} [gate go]", name) for name in (on_loop, in_thread, in_process)
    }
    wait_until("all ask their model", lambda: all(stack.model_requests(f"{name} [gate go]") for name in turns))
    killed = stack.chain_workers.pop()
    os.kill(killed.pid, signal.SIGKILL)
    stack.chain_workers.append(stack.start_chain_worker())
    wait_until("no process of it is left", lambda: not killed.is_running and not has_processes(killed.pid))
    stack.open_gate("go")
    for name, turn in turns.items():
        ended = stack.wait_until_finished(turn)
        assert (ended["status"], ended["losses"]) == ("completed", 1), name
        assert [message["content"] for message in stack.messages(f"killed-{name}")] == [
            f"{name} [gate go]",
            ended["output"]["content"],
        ]


def has_processes(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_chain_knows_whose_turn_it_runs(stack: Stack) -> None:
    turn = run(stack, "mine", "hello", "identity", user_id="ada", metadata={"order": "42"})
    found = turn["output"]["data"]
    thread = found.pop("thread_id")
    assert found == {
        "session_id": "mine",
        "user_id": "ada",
        "tenant": "-",
        "turn_id": turn["id"],
        "attempt": 1,
        "order": "42",
    }
    other = run(stack, "mine", "hello", "identity", user_id="grace")["output"]["data"]
    assert other["thread_id"] != thread, "a fixed session id does not mix users"


def test_the_example_lists_the_orders_of_its_user(stack: Stack) -> None:
    output = run(stack, "example", "What have I ordered?", "orders", user_id="ada")["output"]
    assert (output["content"], output["data"]["orders"]) == ("You have ordered: tea, scones.", ["tea", "scones"])


def test_a_typed_result_is_in_the_data_of_the_output(stack: Stack) -> None:
    output = run(stack, "typed", "hello", "order")["output"]
    assert output == {
        "role": "assistant",
        "content": "Two teas.",
        "data": {"answer": "Two teas.", "items": ["tea"] * 2},
    }
    assert stack.messages("typed")[-1]["content"] == "Two teas."
    plain = run(stack, "typed", "hello", "async-words")["output"]
    assert (plain["data"], plain["content"]) == (None, "a b ")


def test_chain_workers_run_what_blocks_and_nothing_waits_for_it(start: Callable[..., Stack], tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(FILE)
    stack = start(INTURN_ASSISTANTS=str(file))
    waiting = submit(stack, "first", "hello", "coroutine")
    [why] = call(f"{stack.url}/operator/session?session_id=first").body["why"]
    assert (why["reason"], "make worker CHAINS=1" in why["message"]) == ("no_worker", True)
    stack.chain_workers.append(stack.start_chain_worker())
    assert stack.wait_until_finished(waiting)["status"] == "completed"

    overlapping = [submit(stack, f"overlapping-{n}", "hello", "coroutine") for n in range(5)]
    assert {stack.wait_until_finished(turn)["status"] for turn in overlapping} == {"completed"}

    busy = [submit(stack, name, "hello", name) for name in ("computing", "blocked")]
    for turn in busy:
        stack.wait_until_running(turn)
    quick = [submit(stack, f"quick-{n}", "hello", "default") for n in range(3)]
    assert {stack.wait_until_finished(turn)["status"] for turn in quick} == {"completed"}
    assert stack.turn(busy[0])["status"] == "in_progress", "they did not wait for it, which computes for ever"
    assert stack.wait_until_finished(busy[1])["error"]["code"] == "provider_timeout"
    call(f"{stack.url}/v1/turns/{busy[0]}/cancel", method="POST")
    [chain_worker] = stack.chain_workers
    assert chain_worker.stop() == 0, "the blocked thread does not keep it"
