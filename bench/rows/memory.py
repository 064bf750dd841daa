"""The memory of a turn in the store by stage, on a store of its own. Nothing is timed.

Each session has five turns, each a question of 100 and an answer of 600 characters, which no two turns share.
"""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from langchain_core.messages import AIMessage, HumanMessage

from bench.figures import Figure, Result
from tests.support.server import Server
from turns.backend import keys
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore
from worker.langchain.message_codec import encode_message

QUESTION, ANSWER = 100, 600  # characters
TURNS_PER_SESSION = 5
PIECES = 20  # the events of an answer of 600 characters that takes a second
MAX_FRESH_BYTES, MAX_KEPT_BYTES = 3500, 1200
USAGE = Usage(input_tokens=30, output_tokens=150, total_tokens=180)


@dataclass(frozen=True, slots=True)
class TurnMemory:
    """Bytes of one turn: while it is live, right after its end, and after the event retention."""

    live: float
    fresh: float
    kept: float


def measure(*, quick: bool) -> Result:
    memory = measure_memory(turns=500 if quick else 2000, question=QUESTION, answer=ANSWER)
    label = f"Memory of a turn with a question of {QUESTION} and an answer of {ANSWER} characters"
    fresh, kept = MAX_FRESH_BYTES, MAX_KEPT_BYTES
    return Result(
        figures=[
            Figure(label=f"{label}: live", value=memory.live, unit="bytes"),
            Figure(label="… finished, with its messages", value=memory.fresh, unit="bytes", max_value=fresh),
            Figure(label="… after the event retention", value=memory.kept, unit="bytes", max_value=kept),
        ]
    )


def measure_memory(*, turns: int, question: int, answer: int) -> TurnMemory:
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Path(directory))
        server.start()
        try:
            return _Measurement(server, turns, question, answer).run()
        finally:
            server.stop()


class _Measurement:
    def __init__(self, server: Server, turns: int, question: int, answer: int) -> None:
        self._server, self._turns = server, turns
        self._question, self._answer = question, answer
        client = connect(server.url, timeout_seconds=5, retries=0, max_connections=2)
        self._store = TurnStore(client, Settings(redis_url=server.url))
        self._texts = random_texts()
        self._finish("warm-up")

    def run(self) -> TurnMemory:
        before = self._used_bytes()
        for number in range(self._turns):
            self._store.accept(TurnRequest(session_id=f"live-{number}", input=self._text(self._question)))
        live = self._used_bytes() - before
        before = self._used_bytes()
        for number in range(self._turns):
            self._finish(f"ended-{number // TURNS_PER_SESSION}")
        self._server.raw.delete(keys.USAGE_ENTRIES.name)  # a worker adds them to the sums within seconds
        fresh = self._used_bytes() - before
        for name in self._server.raw.scan_iter(keys.EVENTS("*"), count=1000):
            self._server.raw.delete(name)
        kept = self._used_bytes() - before
        return TurnMemory(live / self._turns, fresh / self._turns, kept / self._turns)

    def _finish(self, session_id: str) -> None:
        """Run a turn as a worker does."""
        accepted = self._store.accept(TurnRequest(session_id=session_id, input=self._text(self._question))).turn
        claim = cast(Claim, self._store.claim(accepted.id, worker="worker@host", model="model"))
        output = self._text(self._answer)
        step = max(1, len(output) // PIECES)
        for start in range(0, len(output), step):
            self._store.emit([claim.delta(start, output[start : start + step])])
        answer = Answer(
            question_message=encode_message(HumanMessage(claim.input), turn_id=claim.turn_id, has_id=False),
            answer_message=encode_message(
                AIMessage(output, usage_metadata={"input_tokens": 30, "output_tokens": 150, "total_tokens": 180}),
                turn_id=claim.turn_id,
                at=accepted.accepted_at,
            ),
            output=output,
            model="model",
            usage=USAGE,
        )
        self._store.commit(claim, answer, tail="", keeps_events=False)

    def _text(self, length: int) -> str:
        return next(self._texts)[:length]

    def _used_bytes(self) -> int:
        return int(self._server.raw.info("memory")["used_memory_dataset"])


def random_texts() -> Iterator[str]:
    """Yield texts of random words, the same ones in each run."""
    chance = random.Random(1)
    words = ["".join(chance.choices("aabcdeeefghiilmnoooprrssttuvw", k=chance.randint(2, 9))) for _ in range(3000)]
    while True:
        yield " ".join(chance.choices(words, k=2000))
