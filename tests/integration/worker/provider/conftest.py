"""Turns with a provider on a raw socket."""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.worker.provider.test_completions import CLAIM
from tests.support.raw_provider import Ask, Script, serve
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT, Assistant
from turns.domain.run.answer import Answer
from worker.langchain.chain import TRUNCATED, ChainRun, build_chain
from worker.langchain.history import merge_chunks
from worker.langchain.model_calls import to_model, to_usage
from worker.provider.completions import Completions
from worker.provider.failures import check_finish, to_model_error
from worker.provider.models import build_model


@pytest.fixture(params=["thin", "proxied", "async"])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Return a function that runs a turn with such a provider, with the thin client or, over a proxy, OpenAI's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        if request.param == "proxied":
            monkeypatch.setenv("http_proxy", address)

        def run(script: Script, assistant: Assistant = DEFAULT) -> Answer:
            threading.Thread(target=serve, args=(server, script), daemon=True).start()
            url = "http://models.example/v1" if request.param == "proxied" else f"{address}/v1"
            model = build_model(Settings(openai_base_url=url, first_token_seconds=5, idle_seconds=5))
            turn = ChainRun(
                build_chain(assistant, model), replace(CLAIM, assistant=assistant, input="hello", model="asked")
            )
            models.append(model)
            deque(turn.deltas(), maxlen=0)
            return turn.answer()

        models: list[Any] = []
        yield run
        for model in models:
            model.root_client.close()
            if isinstance(model.client, Completions):
                model.client.close()


async def ask_from_a_coroutine(model: Any, assistant: Assistant) -> Answer:
    """Return the answer as a chain that calls its model from a coroutine."""
    try:
        message = merge_chunks([chunk async for chunk in model.astream("hello")])
    except Exception as error:
        if known := to_model_error(error):
            raise known from error
        raise
    reason = message.response_metadata.get("finish_reason")
    check_finish(reason, message.content, assistant.finish_reasons)
    return Answer(
        question_message="",
        answer_message="",
        output=message.content,
        model=to_model(message) or "asked",
        usage=to_usage(message),
        status_reason=TRUNCATED if reason == TRUNCATED else None,
    )
