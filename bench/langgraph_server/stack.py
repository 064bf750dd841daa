"""LangGraph's development server as a stack. It keeps threads and runs in memory."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

from bench import procfs, seed_history
from bench.caller import Caller
from bench.load import LoadResult, TurnFunction
from bench.stacks import InTurnStack
from tests.support.processes import Process, call
from tools import ROOT

PYTHON = ROOT / ".venv-langgraph" / "bin" / "python"
GRAPH = "chat"
# Features that would disturb the measurement are off: the file watcher, the check for blocking calls, traces and
# telemetry.
OPTIONS = ("--no-browser", "--no-reload", "--allow-blocking", "--server-log-level", "WARNING")
SETTINGS = {"LOG_LEVEL": "warning", "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}


def is_installed() -> bool:
    return PYTHON.with_name("langgraph").exists()


def join_run(caller: Caller, session: str, text: str) -> float:
    """Start a run in the session's thread and wait for its end; return the seconds from start to end."""
    started_at = time.perf_counter()
    runs = f"/threads/{thread_id(session)}/runs"
    body = {"assistant_id": GRAPH, "input": {"messages": [{"role": "user", "content": text}]}}
    run = caller.call("POST", runs, body)
    state = caller.call("GET", f"{runs}/{run['run_id']}/join")
    if not state.get("messages") or state["messages"][-1]["type"] != "ai":
        raise RuntimeError(f"a run ended without an answer: {state}")
    return time.perf_counter() - started_at


def thread_id(session: str) -> str:
    """Return the id of the session's thread, which must be a UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, session))


class LangGraphStack(InTurnStack):
    run_turn = staticmethod(join_run)

    def start_web(self) -> Process:
        graph = f"{Path(__file__).with_name('graph.py')}:graph"
        config = self._directory / "langgraph.json"
        config.write_text(json.dumps({"dependencies": ["."], "graphs": {GRAPH: graph}}), encoding="utf-8")
        options = (*OPTIONS, "--port", str(self._web_port), "--n-jobs-per-worker", str(self.max_in_flight))
        return Process(
            *("langgraph_cli", "dev", *options),
            log=self._log,
            environment={**self.environment, **SETTINGS},
            directory=self._directory,  # it writes files into its working directory
            python=PYTHON,
        )

    def live_workers(self) -> int:
        """Return zero once the endpoint serves: the runs are in its process, and there are no workers."""
        try:
            return 0 if call(f"{self.url}/ok", seconds=2).status == 200 else -1
        except OSError:
            return -1

    def run_load(self, *, text: str, turns: int, in_flight: int, run_turn: TurnFunction | None = None) -> LoadResult:
        """Run a load and delete its threads, because a run costs more the more threads the server keeps."""
        result = super().run_load(text=text, turns=turns, in_flight=in_flight, run_turn=run_turn)
        caller = Caller(self.url)
        for thread in caller.call("POST", "/threads/search", {"limit": 1000}):
            caller.call("DELETE", f"/threads/{thread['thread_id']}")
        caller.close()
        return result

    def cpu_seconds(self) -> float:
        return procfs.group_cpu_seconds(self.web.pid)

    def seed_session(self, session: str) -> None:
        messages = {"values": {"messages": seed_history.messages()}, "as_node": "answer"}
        body: dict[str, Any] = {
            "thread_id": thread_id(session),
            "metadata": {"graph_id": GRAPH},
            "supersteps": [{"updates": [messages]}],
        }
        caller = Caller(self.url)
        caller.call("POST", "/threads", body)
        stored = caller.call("GET", f"/threads/{thread_id(session)}/state")["values"]["messages"]
        caller.close()
        if len(stored) != seed_history.MESSAGE_COUNT:
            raise RuntimeError(f"a thread holds {len(stored)} messages instead of {seed_history.MESSAGE_COUNT}")
