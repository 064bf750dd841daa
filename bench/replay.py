"""Turns as commands of scripts, made beforehand and sent to a primary, so that only its work is measured.

Each connection has sessions of five turns. Their next turns go through their lives side by side: accept, take the
hints, claim, emit pieces, commit.
"""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import gevent
import hiredis
import redis
from langchain_core.messages import AIMessage, HumanMessage

from bench.rows.memory import ANSWER, QUESTION, TURNS_PER_SESSION, USAGE, random_texts
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.client import PartitionClient
from turns.backend.partition.rendering import render_in_partition, render_plain
from turns.backend.script_loader import HINT_PLACEHOLDER, TURN_VERBS
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.domain.ids import new_token, new_turn_id
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore
from worker.langchain.message_codec import encode_message

OUTCOMES = (b"ACCEPTED", b"CLAIMED", b"COMMITTED", b":hints")  # the last one ends the name of a list
DEPTH = 64  # commands that a pipelined connection sends before it reads their replies
TIMEOUT_SECONDS = 30
SETTINGS = Settings(redis_url="redis://unused", max_live_turns=1_000_000)


@dataclass(frozen=True, slots=True)
class Load:
    """Turns on a number of connections, each with `sessions` at a time.

    `pieces` is the number in which each answer is streamed, 0 if it is not. One call emits the pieces of all sessions
    of a connection, as that of a worker does.
    """

    turns: int
    connections: int
    sessions: int = 20
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """The encoded commands of each connection, and the live channels of all sessions."""

    turns: int
    commands: list[list[bytes]]
    live_channels: list[str]


class _Recorded(Exception):
    """The command that a recording client was asked to send."""


class _RecordingClient(Client):
    """Raises each command instead of sending it."""

    def __init__(self) -> None:
        super().__init__(connection_pool=redis.ConnectionPool())

    def execute_command(self, *args: Any, **options: Any) -> NoReturn:
        raise _Recorded(*args)


class Recorder:
    """Makes the commands of turns for a store, or for one partition of a cluster."""

    def __init__(self, partition: int | None = None, *, partitions: int = 0) -> None:
        client: Client = _RecordingClient()
        if partition is not None:
            client = PartitionClient(client, count=partitions, number=partition)
        self._client = client
        self._scripts, self._store = Scripts(client, SETTINGS), TurnStore(client, SETTINGS)
        self._texts, self._live_channel = random_texts(), client.stored_name(keys.LIVE.name)

    def scripts(self) -> list[str]:
        """Return the texts of the scripts, which a server must load first."""
        render = render_plain if self._client.partition_number is None else render_in_partition
        return list(render(TURN_VERBS, SETTINGS).values())

    def heartbeat(self) -> bytes:
        """Return the command of a worker that tells the store the form of hints."""
        return self._command(lambda: self._store.rescue(worker="worker@host", hint=f'{{"id":"{HINT_PLACEHOLDER}"}}'))

    def record(self, load: Load) -> Replay:
        groups = load.turns // load.connections // load.sessions
        commands, sessions = [], set[str]()
        for _ in range(load.connections):
            name = new_token()[:8]
            batches = [[f"{name}-{n // TURNS_PER_SESSION}-{i}" for i in range(load.sessions)] for n in range(groups)]
            commands.append([command for batch in batches for command in self._group(batch, load.pieces)])
            sessions.update(*batches)
        return Replay(
            groups * load.connections * load.sessions, commands, [self._live_channel + one for one in sessions]
        )

    def _group(self, sessions: Sequence[str], pieces: int) -> Iterator[bytes]:
        claims = [self._claim(session) for session in sessions]
        outputs = [next(self._texts)[:ANSWER] for _ in claims]
        for claim in claims:
            request = TurnRequest(session_id=claim.session_id, input=claim.input)
            yield self._command(self._scripts.accept, claim.turn_id, request)
        for claim in claims:
            yield self._command(self._client.brpop, keys.HINTS.name, 1)
            names = {"worker": "worker@host", "model": "model", "fallback_model": ""}
            yield self._command(self._scripts.claim, claim.turn_id, token=claim.token, **names)
        step = ANSWER // pieces if pieces else ANSWER
        for start in range(0, ANSWER - step, step):
            deltas = [
                claim.delta(start, output[start : start + step]) for claim, output in zip(claims, outputs, strict=True)
            ]
            yield self._command(self._store.emit, deltas)
        for claim, output in zip(claims, outputs, strict=True):
            tail = output[-step:]
            yield self._command(self._store.commit, claim, _answer(claim, output), tail=tail, keeps_events=False)

    def _claim(self, session: str) -> Claim:
        return Claim(
            turn_id=new_turn_id(partition=self._client.partition_number),
            token=new_token(),
            number=1,
            attempt=1,
            session=session,
            session_id=session,
            assistant=TurnRequest(session_id=session, input="").assistant,
            input=next(self._texts)[:QUESTION],
            variables={},
            model="model",
            waited_ms=0,
            superseded=False,
            traceparent=None,
            messages=(),
        )

    def _command(self, call: Any, *args: Any, **options: Any) -> bytes:
        try:
            call(*args, **options)
        except _Recorded as recorded:
            return encode(recorded.args)
        raise AssertionError("the call sent no command")


def _answer(claim: Claim, output: str) -> Answer:
    question = encode_message(HumanMessage(claim.input), turn_id=claim.turn_id)
    answer = encode_message(AIMessage(output), turn_id=claim.turn_id)
    return Answer(question_message=question, answer_message=answer, output=output, model="model", usage=USAGE)


def encode(command: Sequence[Any]) -> bytes:
    """Return a command in the protocol of the store."""
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)])


def load_scripts(server: Server, recorders: Sequence[Recorder]) -> None:
    """Prepare a primary for the commands of these recorders."""
    for text in recorders[0].scripts():
        server.raw.script_load(text)
    send(server, [[recorder.heartbeat() for recorder in recorders]], depth=1)


def send(server: Server, by_connection: Sequence[Sequence[bytes]], *, depth: int) -> None:
    """Send commands on as many connections, each at most `depth` at a time. Raises for an error of the store."""
    jobs = [gevent.spawn(_send_all, server, commands, depth) for commands in by_connection]
    gevent.joinall(jobs, raise_error=True)


def _send_all(server: Server, commands: Sequence[bytes], depth: int) -> None:
    with connection_to(server) as connection:
        reader = hiredis.Reader()
        for start in range(0, len(commands), depth):
            batch = commands[start : start + depth]
            connection.sendall(b"".join(batch))
            for _ in batch:
                _read_reply(connection, reader)


def _read_reply(connection: socket.socket, reader: hiredis.Reader) -> None:
    while (reply := reader.gets()) is False:
        reader.feed(connection.recv(1 << 16))
    if isinstance(reply, Exception):
        raise reply
    if reply is None or (reply and not reply[0].endswith(OUTCOMES)):
        raise RuntimeError(f"the store has answered {reply!r}")


def connection_to(server: Server) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT_SECONDS)
    connection.connect(str(server.socket))
    return connection


def cpu_seconds(server: Server) -> float:
    """Return user and system time of the process of a primary."""
    cpu = server.raw.info("cpu")
    return float(cpu["used_cpu_user"] + cpu["used_cpu_sys"])
