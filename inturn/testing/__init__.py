"""Run a throw-away InTurn with a scripted model, for the tests of programs that use it and of custom chains.

    from inturn.testing import running_inturn

    def test_an_answer_arrives() -> None:
        with running_inturn(lambda messages: "42") as service:
            assert service.client.turns.create("s", "What is the answer?").wait().text == "42"

It needs the service, from `inturn[service]` or a clone, and no other program, network or API key.
"""

from inturn.testing.scripted_model import Messages, ModelError, Reply, Script, ScriptedModel, ToolCall, echo
from inturn.testing.service import CannotStart, RunningService, running_inturn

__all__ = [
    "CannotStart",
    "Messages",
    "ModelError",
    "Reply",
    "RunningService",
    "Script",
    "ScriptedModel",
    "ToolCall",
    "echo",
    "running_inturn",
]
