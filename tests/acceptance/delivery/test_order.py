"""Turns of one session run in order, each with exactly the preceding turns as its history, on several workers."""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.processes import SYSTEM_MESSAGE, Stack
from tests.support.scripted_model import answer
from tests.support.waiting import wait_until

SESSIONS = 50
TURNS = 10
WORKERS = 4


def test_turns_of_fifty_sessions_run_in_order(start: Callable[..., Stack]) -> None:
    stack = start(workers=WORKERS)
    sessions = [f"session-{n}" for n in range(SESSIONS)]

    def submit_all(session: str) -> list[str]:
        return [stack.submit(session, f"{session} turn {n}") for n in range(TURNS)]

    with ThreadPoolExecutor(SESSIONS) as pool:
        submitted = dict(zip(sessions, pool.map(submit_all, sessions), strict=True))
        last = [turns[-1] for turns in submitted.values()]
        wait_until("all turns have ended", lambda: all(stack.turn(turn)["finished_at"] for turn in last), seconds=90)

        turns = dict(zip(sessions, pool.map(lambda s: [stack.turn(t) for t in submitted[s]], sessions), strict=True))
        histories = dict(zip(sessions, pool.map(stack.messages, sessions), strict=True))

    prompts = prompts_by_session(stack)
    for session in sessions:
        assert [turn["sequence"] for turn in turns[session]] == list(range(1, TURNS + 1))
        expected = expected_history(session)
        assert prompts[session] == [[SYSTEM_MESSAGE, *expected[: 2 * n + 1]] for n in range(TURNS)]
        history = [{"role": message["role"], "content": message["content"]} for message in histories[session]]
        assert history == expected
        assert [m["turn_id"] for m in histories[session]] == [turn for turn in submitted[session] for _ in range(2)]

    workers = {name for name in stack.logs().splitlines() if '"worker.ready"' in name}
    assert len(workers) == WORKERS


def expected_history(session: str) -> list[dict[str, str]]:
    """Return the final history of a session; each answer of the scripted model depends on all messages before it."""
    messages: list[dict[str, Any]] = []
    for n in range(TURNS):
        messages.append({"role": "user", "content": f"{session} turn {n}"})
        messages.append({"role": "assistant", "content": answer([SYSTEM_MESSAGE, *messages])})
    return messages


def prompts_by_session(stack: Stack) -> dict[str, list[Any]]:
    prompts = defaultdict(list)
    for request in stack.model_requests():
        prompts[request["messages"][1]["content"].partition(" ")[0]].append(request["messages"])
    return prompts
