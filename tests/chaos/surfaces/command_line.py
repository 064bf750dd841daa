"""The command line client `llm`: each call is a process, which sends the conversation that it has logged."""

import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.chaos.surfaces.talking import Answers, Conversation, repeat

LLM = str(Path(sys.executable).with_name("llm"))


def llm(url: str, conversation: Conversation) -> Answers:
    """Continue the conversation in a log for it alone. A call that failed is not logged, and asked again."""
    with tempfile.TemporaryDirectory() as directory:
        _configure(Path(directory), url, conversation.session)
        answers: dict[str, str] = {}
        for text in conversation.texts:
            command = [LLM, "-m", "inturn", *(["--continue"] if answers else []), text]
            answers[text] = repeat(partial(_run, command, directory), subprocess.CalledProcessError)
        return answers


def _configure(directory: Path, url: str, session: str) -> None:
    model = {"model_id": "inturn", "model_name": "default", "api_base": f"{url}/openai/v1"}
    models = [{**model, "headers": {"X-InTurn-Session": session}}]
    (directory / "extra-openai-models.yaml").write_text(json.dumps(models))  # JSON is YAML too


def _run(command: list[str], directory: str) -> str:
    environment = {**os.environ, "LLM_USER_PATH": directory}
    ended = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return ended.stdout.removesuffix("\n")
