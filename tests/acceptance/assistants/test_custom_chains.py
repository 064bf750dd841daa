"""Test that custom chains have order, one history, streaming, cancel, retries and limits, as any other chain."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.assistants.test_assistants import submit
from tests.support.processes import Process, Stack, call
from tests.support.sse import Stream
from tests.support.waiting import wait_until

FILE = """
[assistants.haiku]
chain = "examples.chains.haiku:build"
variables.season = { default = "autumn" }
[assistants.clock]
chain = "examples.chains.clock:build"
history = "full"
[assistants.open-clock]
chain = "examples.chains.clock:build"
tool_details = true
reasoning = true
[assistants.progress]
chain = "tests.acceptance.assistants.chains:progress"
[assistants.thinker]
reasoning = true
[assistants.forgetful-clock]
chain = "examples.chains.clock:build"
[assistants.graph]
chain = "tests.acceptance.assistants.chains:graph"
history = "full"
[assistants.still-graph]
chain = "tests.acceptance.assistants.chains:still_graph"
variables.topic = {}
[assistants.echo]
chain = "tests.acceptance.assistants.chains:echo"
variables.mood = { default = "calm" }
[assistants.slow]
chain = "tests.acceptance.assistants.chains:slow"
[assistants.hasty]
chain = "tests.acceptance.assistants.chains:slow"
total_seconds = 1
[assistants.fail]
chain = "tests.acceptance.assistants.chains:fail"
[assistants.leave]
chain = "tests.acceptance.assistants.chains:leave"
[assistants.build-leaves]
chain = "tests.acceptance.assistants.chains:build_leaves"
[assistants.cancelled]
chain = "tests.acceptance.assistants.chains:cancelled"
[assistants.timed]
chain = "tests.acceptance.assistants.chains:timed"
[assistants.dated]
chain = "tests.acceptance.assistants.chains:dated"
history = "full"
[assistants.number]
chain = "tests.acceptance.assistants.chains:number"
[assistants.silent]
chain = "tests.acceptance.assistants.chains:silent"
[assistants.parsed]
chain = "tests.acceptance.assistants.chains:parsed"
[assistants.illegal]
chain = "tests.acceptance.assistants.chains:illegal"
history = "full"
"""


@pytest.fixture(scope="module", params=["thread", "loop"])
def runs_in(request: pytest.FixtureRequest) -> str:
    """Return where the chains run: all tests hold for both."""
    place: str = request.param
    return place


@pytest.fixture(scope="module")
def chain_workers(runs_in: str) -> int:
    return 1 if runs_in == "thread" else 0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, runs_in: str) -> dict[str, str]:
    file = tmp_path_factory.mktemp("chains") / "assistants.toml"
    file.write_text(FILE.replace("chain = ", f'runs_in = "{runs_in}"\nchain = '))
    return {"INTURN_ASSISTANTS": str(file), "INTURN_RETRY_SECONDS": "0.05"}


def run(stack: Stack, session: str, question: str, assistant: str, **more: Any) -> dict[str, Any]:
    return stack.wait_until_finished(submit(stack, session, question, assistant, **more))


def stored(stack: Stack, session: str) -> list[tuple[str, Any]]:
    """Return the types and contents of the messages in the history, oldest first."""
    items = map(json.loads, reversed(stack.store.raw.lrange(f"message_store:{session}", 0, -1)))
    return [(item["type"], item["data"]["content"]) for item in items]


def deltas(stack: Stack, turn_id: str) -> str:
    """Return the text that a reader of the turn's events receives."""
    with closing(Stream(f"{stack.url}/v1/turns/{turn_id}/events")) as events:
        return "".join(event.data["text"] for event in events if event.type == "delta")


def test_prompt_model_and_parser_stream_with_the_history(stack: Stack) -> None:
    first = run(stack, "haiku", "one", "haiku")
    second = run(stack, "haiku", "two", "haiku", variables={"season": "spring"})
    assert (first["status"], second["status"]) == ("completed", "completed")
    prompt = stack.model_requests()[-1]["messages"]
    assert [m["content"] for m in prompt] == [
        "You answer with a haiku, and the season is spring.",
        "one",
        first["output"]["content"],
        "two",
    ]
    assert deltas(stack, second["id"]) == second["output"]["content"]
    assert second["usage"] == {
        "input_tokens": 7,
        "output_tokens": 4,
        "total_tokens": 11,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
    }
    assert second["model"] == "gpt-4o-mini"


def test_a_chain_gets_only_input_history_and_variables(stack: Stack) -> None:
    run(stack, "echo", "one", "echo")
    values = json.loads(run(stack, "echo", "{mood}", "echo", variables={"mood": "sad"})["output"]["content"])
    [question, answer] = values.pop("history")
    assert (question, answer[0]) == (["human", "one"], "ai")
    assert values == {"input": "{mood}", "mood": "sad"}


def outputs(stack: Stack, turn_id: str, *, after: str | None = None) -> list[tuple[str, Any]]:
    """Return a turn's events, but those of its status; texts of one type that follow each other are one."""
    fields = ("turn_id", "attempt", "turn", "call_id")
    received: list[tuple[str, Any]] = []
    with closing(Stream(f"{stack.url}/v1/turns/{turn_id}/events", last_event_id=after)) as events:
        for event in events:
            content = {name: value for name, value in event.data.items() if name not in fields}
            if "text" in content and received and received[-1][0] == event.type:
                received[-1][1]["text"] += content["text"]
            elif event.type != "status":
                received.append((event.type, content))
    return received


def test_tools_and_reasoning_are_streamed_before_the_answer(stack: Stack) -> None:
    question = "what time is it [call clock] [reason I will look]"
    turn = run(stack, "open-clock", question, "open-clock")
    reasoning, started, finished, *rest = [output for output in outputs(stack, turn["id"]) if output[0] != "delta"]
    assert reasoning == ("reasoning", {"text": "I will look "})
    assert started == ("tool", {"name": "clock", "state": "started", "arguments": "{}", "result": None})
    assert (finished[1]["state"], finished[1]["arguments"]) == ("finished", None)
    assert finished[1]["result"].startswith("20")
    assert rest[-1] == ("done", {})
    hidden = run(stack, "clock-events", question, "clock")
    assert [output for output in outputs(stack, hidden["id"]) if output[0] != "delta"] == [
        ("tool", {"name": "clock", "state": state, "arguments": None, "result": None})
        for state in ("started", "finished")
    ] + [("done", {})]


def test_the_parts_of_an_answer_are_in_order(stack: Stack) -> None:
    turn = run(stack, "parts", "what time is it [call clock] [reason Hm]", "open-clock")
    reasoning, tool, text = turn["output"]["parts"]
    assert reasoning == {"type": "reasoning", "text": "Hm "}
    assert (tool["type"], tool["name"], tool["state"], tool["arguments"]) == ("tool", "clock", "finished", "{}")
    assert text == {"type": "text", "text": turn["output"]["content"]}


def test_citations_and_images_are_parts_and_stay_in_the_history(stack: Stack) -> None:
    turn = run(stack, "cited", "hello [cite https://clock.example] [draw AAAA]", "haiku")
    content, parts = turn["output"]["content"], turn["output"]["parts"]
    found = [{name: value for name, value in part.items() if value is not None} for part in parts]
    citation = {"type": "citation", "url": "https://clock.example", "title": "A source"}
    positions = {"start_index": 0, "end_index": 6}
    assert found == [
        {"type": "text", "text": content},
        {**citation, **positions},
        {"type": "image", "url": "data:image/png;base64,AAAA"},  # no image, so it is not stored as a file
    ]
    [_, (_, blocks)] = stored(stack, "cited")
    assert blocks == [
        {"type": "text", "text": content, "annotations": [{**citation, **positions}]},
        {"type": "image", "base64": "AAAA", "mime_type": "image/png"},
    ]
    following = run(stack, "cited", "and now", "haiku")
    assert stack.model_requests("and now")[0]["messages"][-2]["content"] == content, "the model gets the text"
    assert "parts" not in following["output"]


def test_a_chain_streams_data_of_its_own(stack: Stack) -> None:
    turn = run(stack, "progress", "go", "progress")
    expected = [
        ("data", {"name": "progress", "data": {"percent": 0}}),
        ("delta", {"text": "Half. "}),
        ("data", {"name": "progress", "data": {"percent": 50}}),
        ("delta", {"text": "Done."}),
        ("done", {}),
    ]
    assert outputs(stack, turn["id"]) == expected
    with closing(Stream(f"{stack.url}/v1/turns/{turn['id']}/events")) as events:
        half = next(event.id for event in events if event.type == "delta")
    assert outputs(stack, turn["id"], after=half) == expected[2:], "they are part of what a reader resumes"


def test_events_of_a_failed_attempt_are_withdrawn(stack: Stack) -> None:
    turn_id = submit(stack, "withdrawn", "hello [reason Hm] [hold withdrawn] [once-finish none]", "thinker")
    with closing(Stream(f"{stack.url}/v1/turns/{turn_id}/events")) as events:
        for event in events:
            if event.type == "reasoning":
                stack.open_gate("withdrawn")  # and the answer ends without a finish reason
                break
    assert stack.wait_until_finished(turn_id)["attempt"] == 2
    types = [kind for kind, _ in outputs(stack, turn_id)]
    first, second = types[: types.index("reset")], types[types.index("reset") :]
    assert ("reasoning" in first, second.count("delta")) == (True, 1)
    assert second.index("delta") > second.index("reasoning")


def test_turns_of_a_session_run_in_order_across_assistants(stack: Stack) -> None:
    turns = [submit(stack, "order", f"turn {n} [delay 0.1]", ("haiku", "echo")[n % 2]) for n in range(6)]
    assert [stack.wait_until_finished(turn)["status"] for turn in turns] == ["completed"] * 6
    assert [m["turn_id"] for m in stack.messages("order")] == [turn for turn in turns for _ in range(2)]


def test_by_default_only_question_and_answer_are_stored(stack: Stack) -> None:
    turn = run(stack, "loop", "time? [call clock]", "forgetful-clock")
    assert turn["status"] == "completed"
    assert [kind for kind, _ in stored(stack, "loop")] == ["human", "ai"]
    assert turn["usage"]["total_tokens"] > 14, "both calls count"


@pytest.mark.parametrize("assistant", ["clock", "graph"])
def test_a_full_history_has_the_tool_calls_for_the_next_turn(stack: Stack, assistant: str) -> None:
    session = f"full-{assistant}"
    turn = run(stack, session, "time? [call clock]", assistant)
    assert turn["status"] == "completed", stack.logs()[-3000:]
    kinds = [kind for kind, _ in stored(stack, session)]
    assert kinds == ["human", "ai", "tool", "ai"]
    assert stored(stack, session)[-1][1] == turn["output"]["content"] == deltas(stack, turn["id"])
    assert [m["role"] for m in stack.messages(session)] == ["user", "assistant"]
    after = run(stack, session, "and now?", assistant)
    assert after["status"] == "completed"
    prompt = [m for m in stack.model_requests()[-1]["messages"] if m["role"] != "system"]
    assert [m["role"] for m in prompt] == ["user", "assistant", "tool", "assistant", "user"]
    assert prompt[1]["tool_calls"][0]["id"] == prompt[2]["tool_call_id"] == "call_clock"


def test_an_invalid_exchange_is_stored_as_question_and_answer(stack: Stack) -> None:
    turn = run(stack, "illegal", "hello", "illegal")
    assert turn["output"]["content"] == "let me see\n\nnever mind"
    assert stored(stack, "illegal") == [("human", "hello"), ("ai", "let me see\n\nnever mind")]


def test_a_graph_without_a_model_answers_too(stack: Stack) -> None:
    run(stack, "still", "one", "still-graph", variables={"topic": "tea"})
    turn = run(stack, "still", "two", "still-graph", variables={"topic": "tea"})
    assert turn["output"]["content"] == "tea: 3 messages"


FAULTY = ["fail", "leave", "build-leaves", "cancelled", "timed", "dated", "number", "silent"]


@pytest.mark.parametrize("assistant", FAULTY)
def test_an_exception_in_the_chain_fails_only_its_turn(stack: Stack, assistant: str) -> None:
    turn = run(stack, assistant, "hello", assistant)
    assert (turn["status"], turn["attempt"]) == ("failed", 1)
    assert turn["error"] == {
        "code": "chain_error",
        "message": "The assistant failed while it worked on this turn.",
    }
    assert "secret" not in str(turn)
    assert run(stack, assistant, "hello", "echo")["status"] == "completed", "its session and its worker go on"


def test_the_traceback_of_an_exception_is_in_the_log(stack: Stack) -> None:
    run(stack, "traceback", "hello", "fail")
    assert "my secret mistake" in stack.logs()
    assert "chains.py" in stack.logs()


def test_an_incomplete_answer_fails_also_behind_a_parser(stack: Stack) -> None:
    for assistant in ("haiku", "parsed"):
        turn = run(stack, assistant, f"{assistant} [finish none]", assistant)
        assert (turn["status"], turn["error"]["code"], turn["attempt"]) == ("failed", "incomplete_answer", 2)


def test_a_temporary_failure_of_the_provider_is_retried(stack: Stack) -> None:
    question = "hello [fail 503 1]"
    assert run(stack, "flaky", question, "haiku")["status"] == "completed"
    assert len(stack.model_requests(question)) == 2, "it may not count as an attempt after earlier failures"
    assert run(stack, "hopeless", "hello [fail 400]", "graph")["error"]["code"] == "provider_rejected"


def test_a_truncated_answer_has_a_status_reason(stack: Stack) -> None:
    assert run(stack, "cut", "hello [finish length]", "haiku")["status_reason"] == "length"


def test_cancel_and_a_time_limit_stop_a_chain(stack: Stack) -> None:
    turn = submit(stack, "cancel", "hello", "slow")
    stack.wait_until_streaming(turn, events=3)
    assert call(f"{stack.url}/v1/turns/{turn}/cancel", method="POST").body["status"] == "cancelled"
    wait_until("the run has stopped", lambda: '"lease.lost"' in stack.logs())
    assert run(stack, "late", "hello", "hasty")["error"]["code"] == "provider_timeout"


@pytest.mark.parametrize("assistant", ["haiku", "clock", "graph"])
def test_cancel_closes_the_connection_to_the_provider(stack: Stack, assistant: str) -> None:
    question = f"{assistant} long [words 600] [pace 0.05]"
    turn = submit(stack, f"leave-{assistant}", question, assistant)
    stack.wait_until_streaming(turn, events=3)
    call(f"{stack.url}/v1/turns/{turn}/cancel", method="POST")
    stack.wait_until_disconnected(question)


def test_an_interrupted_chain_keeps_its_text(stack: Stack) -> None:
    running = submit(stack, "interrupt", "hello", "slow")
    stack.wait_until_streaming(running, events=3)
    run(stack, "interrupt", "stop", "echo", on_busy="interrupt")
    turn = stack.turn(running)
    assert (turn["status"], turn["status_reason"]) == ("incomplete", "interrupted")
    assert [m["content"] for m in stack.messages("interrupt")[:2]] == ["hello", turn["output"]["content"]]


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("no_such_package.module:build", "there is no module 'no_such_package'; start the worker where"),
        ("examples.chains.haiku:missing", "examples.chains.haiku has no 'missing'; name a function"),
        (
            "examples.chains.haiku:PROMPT",
            "examples.chains.haiku:PROMPT is a ChatPromptTemplate; name a function that returns it",
        ),
        ("broken_chain:build", "broken_chain raises ZeroDivisionError"),
        ("needy_chain:build", "needy_chain needs 'no_such_library', which is not installed"),
        ("tests.acceptance.assistants.chains:no_runnable", "the factory returned a str; it must return a Runnable"),
    ],
)
def test_a_worker_that_cannot_use_a_factory_does_not_start(tmp_path: Path, chain: str, message: str) -> None:
    (tmp_path / "broken_chain.py").write_text("1 / 0\n")
    (tmp_path / "needy_chain.py").write_text("import no_such_library\n")
    file, log = tmp_path / "assistants.toml", tmp_path / "log"
    file.write_text(f'[assistants.a]\nchain = "{chain}"\n')
    environment = {"INTURN_ASSISTANTS": str(file), "REDIS_URL": "unix:///nowhere", "PYTHONPATH": str(tmp_path)}
    process = Process("worker", "--chains", log=log, environment=environment)
    wait_until("it has ended", lambda: not process.is_running)
    assert process.stop() == 2
    assert f"assistants.toml: assistants.a.chain: {message}" in log.read_text()
    assert "Traceback" not in log.read_text()
