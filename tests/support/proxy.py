"""A store behind a proxy that breaks a connection where a test wants it: before a script runs, or before its reply.

Each step of a turn is one script. Therefore only two things can happen between two steps: a script did not run, or it
ran and its reply was lost.
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
    BEFORE = "before"  # the store never receives the command
    AFTER = "after"  # the store has run the command, and its reply is lost


class Action(StrEnum):
    KILL = "kill"  # kill the process that sent the command
    CUT = "cut"  # close its connection
    HANG = "hang"  # keep its connection open and never send a reply


@dataclass(frozen=True)
class Fault:
    """A fault that happens once, at the first script of this verb with an argument that contains `argument`."""

    verb: str
    argument: str
    timing: Timing
    action: Action


class ProxiedServer(Server):
    def __init__(self, directory: Path, settings: Settings) -> None:
        """Take the settings with which the tested processes render their scripts."""
        super().__init__(directory, options=DURABLE)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / "p.sock"))
        self._listener.listen(128)
        self.url = f"unix://{directory}/p.sock"
        self._scripts = {verb: render(verb, render_constants(settings)).encode() for verb in VERBS}
        self._verbs = {text: verb for verb, text in self._scripts.items()}
        self._verbs |= {
            sha1(text, usedforsecurity=False).hexdigest().encode(): verb for verb, text in self._scripts.items()
        }
        self._lock = threading.Lock()
        self.armed: list[Fault] = []

    def start(self, *more: str) -> None:
        super().start(*more)
        for text in self._scripts.values():
            self.raw.script_load(text)
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, *faults: Fault) -> None:
        with self._lock:
            self.armed += faults

    def take_fault(self, command: list[bytes]) -> Fault | None:
        """Return and disarm the fault that this command meets, if there is one."""
        verb = self._verbs.get(command[1]) if len(command) > 1 and command[0] in {b"EVALSHA", b"EVAL"} else None
        with self._lock:
            for fault in self.armed:
                if fault.verb == verb and any(fault.argument.encode() in part for part in command[2:]):
                    self.armed.remove(fault)
                    return fault
        return None

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            store = socket.socket(socket.AF_UNIX)
            try:
                store.connect(str(self.socket))
            except OSError:
                client.close()
                continue
            connection = ProxiedConnection(self, client, store)
            threading.Thread(target=connection.forward_to_store, daemon=True).start()
            threading.Thread(target=connection.forward_to_client, daemon=True).start()


class ProxiedConnection:
    """One connection of a client to the store, in both directions."""

    def __init__(self, proxy: ProxiedServer, client: socket.socket, store: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._store = store
        self._fault: Fault | None = None

    def forward_to_store(self) -> None:
        with self._client.makefile("rb") as sent:
            for raw, command in read_commands(sent):
                self._fault = self._fault or self._proxy.take_fault(command)
                if self._fault and self._fault.timing is Timing.BEFORE:
                    return self._break(self._fault)
                try:
                    self._store.sendall(raw)
                except OSError:
                    break
        return self._close()

    def forward_to_client(self) -> None:
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
                os.killpg(os.getpgid(self._peer_pid()), signal.SIGKILL)
                self._close()
            case Action.CUT:
                self._close()
            case Action.HANG:
                self._store.close()

    def _peer_pid(self) -> int:
        credentials = self._client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def _close(self) -> None:
        for end in (self._client, self._store):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def read_commands(sent: BinaryIO) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield each command that a client sends, as raw bytes and as a list of arguments."""
    while head := _read_line(sent):
        raw, arguments = head, []
        for _ in range(int(head[1:])):
            size = sent.readline()
            argument = sent.read(int(size[1:]) + 2)
            raw += size + argument
            arguments.append(argument[:-2])
        yield raw, arguments


def _read_line(sent: BinaryIO) -> bytes:
    try:
        return sent.readline()
    except OSError:
        return b""
