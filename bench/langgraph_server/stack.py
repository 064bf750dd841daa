"""LangGraph's development server, to be driven as the product is. It keeps threads and runs in its own memory."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

from bench import kernel, past
from bench.caller import Caller
from bench.load import One, Run
from bench.stacks import Ours
from tests.support.processes import Process, call
from tools import ROOT

PYTHON = ROOT / ".venv-langgraph" / "bin" / "python"
GRAPH = "chat"
# As many runs at once as there are turns in flight; nothing that a measurement would not want: no watch on the files,
# no check for calls that block, no traces, no reports of its use.
OPTIONS = ("--no-browser", "--no-reload", "--allow-blocking", "--server-log-level", "WARNING")
SETTINGS = {"LOG_LEVEL": "warning", "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}


def is_installed() -> bool:
    return PYTHON.with_name("langgraph").exists()


def joined(caller: Caller, session: str, said: str) -> float:
    """A run in the session's thread, and the wait for its end; the seconds from the one to the other."""
    began_at = time.perf_counter()
    runs = f"/threads/{thread(session)}/runs"
    asked = {"assistant_id": GRAPH, "input": {"messages": [{"role": "user", "content": said}]}}
    run = caller.call("POST", runs, asked)
    state = caller.call("GET", f"{runs}/{run['run_id']}/join")
    if not state.get("messages") or state["messages"][-1]["type"] != "ai":
        raise RuntimeError(f"a run ended without an answer: {state}")
    return time.perf_counter() - began_at


def thread(session: str) -> str:
    """Threads are named by UUIDs alone."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, session))


class LangGraph(Ours):
    one = staticmethod(joined)

    def start_web(self) -> Process:
        graph = f"{Path(__file__).with_name('graph.py')}:graph"
        config = self._directory / "langgraph.json"
        config.write_text(json.dumps({"dependencies": ["."], "graphs": {GRAPH: graph}}), encoding="utf-8")
        options = (*OPTIONS, "--port", str(self._web_port), "--n-jobs-per-worker", str(self.most_in_flight))
        return Process(
            *("langgraph_cli", "dev", *options),
            log=self._log,
            environment={**self.environment, **SETTINGS},
            directory=self._directory,  # it writes beside where it runs
            python=PYTHON,
        )

    def live_workers(self) -> int:
        """It has none: its runs are in the process of the endpoint."""
        try:
            return 0 if call(f"{self.url}/ok", seconds=2).status == 200 else -1
        except OSError:
            return -1

    def load(self, *, said: str, turns: int, in_flight: int, one: One | None = None) -> Run:
        """The more threads it keeps, the more a run costs: they are deleted, so that each load finds it as new."""
        run = super().load(said=said, turns=turns, in_flight=in_flight, one=one)
        caller = Caller(self.url)
        for kept in caller.call("POST", "/threads/search", {"limit": 1000}):
            caller.call("DELETE", f"/threads/{kept['thread_id']}")
        caller.close()
        return run

    def cpu_seconds(self) -> float:
        return kernel.cpu_seconds(self.web.pid)

    def begin(self, session: str) -> None:
        messages = {"values": {"messages": past.given()}, "as_node": "answer"}
        body: dict[str, Any] = {
            "thread_id": thread(session),
            "metadata": {"graph_id": GRAPH},
            "supersteps": [{"updates": [messages]}],
        }
        caller = Caller(self.url)
        caller.call("POST", "/threads", body)
        held = caller.call("GET", f"/threads/{thread(session)}/state")["values"]["messages"]
        caller.close()
        if len(held) != past.MESSAGES:
            raise RuntimeError(f"a thread was to hold {past.MESSAGES} messages, and holds {len(held)}")
