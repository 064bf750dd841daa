"""A store behind a line that breaks where a test wants it: before a script gets there, or before its reply comes back.

Each step of a turn is one script. So what can happen between two steps is exactly this: a script did not run, or it
ran and nobody heard of it.
"""

import contextlib
import os
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1
from pathlib import Path
from typing import BinaryIO

from tests.support.server import DURABLE, Server
from turns.backend.script_loader import VERBS, render, render_constants
from turns.config.settings import Settings


class Timing(StrEnum):
    BEFORE = "before"  # the store never gets the command
    AFTER = "after"  # the store has run it, and its reply is lost


class Action(StrEnum):
    KILL = "kill"  # the process that sent the command is gone
    CUT = "cut"  # its connection is closed
    HANG = "hang"  # its connection stays open, and nothing ever comes


@dataclass(frozen=True)
class Fault:
    """Happens once, at the first such script that names `about`: a turn's id, or what it says."""

    verb: str
    about: str
    timing: Timing
    action: Action


class ProxiedServer(Server):
    def __init__(self, directory: Path, settings: Settings) -> None:
        """`settings`: those that the scripts of the tested processes are made with."""
        super().__init__(directory, options=DURABLE)
        self._store_address = self.url.removeprefix("unix://")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / "p.sock"))
        self._listener.listen(128)
        self.url = f"unix://{directory}/p.sock"
        texts = {verb: render(verb, render_constants(settings)).encode() for verb in VERBS}
        self._verbs = {sha1(text, usedforsecurity=False).hexdigest().encode(): verb for verb, text in texts.items()}
        self._verbs |= {text: verb for verb, text in texts.items()}
        self._lock = threading.Lock()
        self.armed: list[Fault] = []

    def start(self, *more: str) -> None:
        super().start(*more)
        for verb in VERBS:
            self.raw.script_load(next(text for text, name in self._verbs.items() if name == verb and len(text) > 40))
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, *faults: Fault) -> None:
        with self._lock:
            self.armed += faults

    def take(self, command: list[bytes]) -> Fault | None:
        """The fault that this command meets, if there is one; no other command meets it."""
        verb = self._verbs.get(command[1]) if len(command) > 1 and command[0] in {b"EVALSHA", b"EVAL"} else None
        with self._lock:
            for fault in self.armed:
                if fault.verb == verb and any(fault.about.encode() in part for part in command[2:]):
                    self.armed.remove(fault)
                    return fault
        return None

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            store = socket.socket(socket.AF_UNIX)
            try:
                store.connect(self._store_address)
            except OSError:
                client.close()
                continue
            connection = ProxiedConnection(self, client, store)
            threading.Thread(target=connection.to_store, daemon=True).start()
            threading.Thread(target=connection.to_client, daemon=True).start()


class ProxiedConnection:
    """One connection, in both directions."""

    def __init__(self, proxy: ProxiedServer, client: socket.socket, store: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._store = store
        self._fault: Fault | None = None

    def to_store(self) -> None:
        with self._client.makefile("rb") as sent:
            for raw, command in commands(sent):
                self._fault = self._fault or self._proxy.take(command)
                if self._fault and self._fault.timing is Timing.BEFORE:
                    return self._break(self._fault)
                try:
                    self._store.sendall(raw)
                except OSError:
                    break
        return self._close()

    def to_client(self) -> None:
        try:
            while data := self._store.recv(65536):
                if self._fault:
                    return self._break(self._fault)
                self._client.sendall(data)
        except OSError:
            pass
        return self._close()

    def _break(self, fault: Fault) -> None:
        match fault.action:
            case Action.KILL:
                os.killpg(os.getpgid(self._peer()), signal.SIGKILL)
                self._close()
            case Action.CUT:
                self._close()
            case Action.HANG:
                self._store.close()

    def _peer(self) -> int:
        credentials = self._client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def _close(self) -> None:
        for end in (self._client, self._store):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def commands(sent: BinaryIO) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each command as it was sent, and its words."""
    while head := _read(sent):
        raw, words = head, []
        for _ in range(int(head[1:])):
            size = sent.readline()
            word = sent.read(int(size[1:]) + 2)
            raw += size + word
            words.append(word[:-2])
        yield raw, words


def _read(sent: BinaryIO) -> bytes:
    try:
        return sent.readline()
    except OSError:
        return b""
