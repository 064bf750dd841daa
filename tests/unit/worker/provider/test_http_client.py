"""A model can be called from any number of event loops, one after the other and at once."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from turns.config.settings import Settings
from turns.domain.model_parameters import ModelParameters
from worker.provider.models import build_model

BODY = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of connections that end with their loop
def test_a_model_answers_in_each_loop(url: str) -> None:
    model: Any = build_model(Settings(openai_base_url=url), ModelParameters())

    async def ask() -> list[str]:
        answers = await asyncio.gather(*(model.ainvoke("hello") for _ in range(3)))
        return [str(answer.content) for answer in answers]

    for _ in range(3):  # each run closes its loop, and the connections with it
        assert asyncio.run(ask()) == ["hi"] * 3
    client = model.root_async_client._client
    assert len(client._clients) == 1, "clients of closed loops are not kept"
    client._clients.clear()
    gc.collect()
