"""What a process hears from the store: all its subscriptions over one connection, heard as they are published.

A message may be missed while the connection is away. So `None` comes first to every listener, and again after each
gap: whatever it knows from before may be old, and from here on it hears everything.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.turn import Turn

HEALTH_SECONDS = 5.0  # a connection that is silent for so long is asked whether it lives, and given as long to answer
RECONNECT_SECONDS = 0.2
MAX_QUEUED_MESSAGES = 1000  # messages that wait for one listener; one that is slower gets a gap instead

Message = bytes | None


class Subscription:
    """The messages of some channels, in the order in which they were published."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def hear(self, message: Message) -> None:
        if self._messages.qsize() < MAX_QUEUED_MESSAGES:
            return self._messages.put(message)
        with suppress(queue.Empty):  # who listens may take the last one meanwhile
            while True:
                self._messages.get_nowait()
        return self._messages.put(None)

    def get(self, *, seconds: float) -> Message:
        """The next message. Raises `TimeoutError` when none comes in this time."""
        try:
            return self._messages.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None


class Subscriptions:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()  # of what follows, and of writing to the line
        self._line: Any = None
        self._listeners: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._confirmed: set[str] = set()
        self._is_stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="feed", daemon=True).start()

    def stop(self) -> None:
        """Soon nothing more is heard."""
        self._is_stopped = True

    @contextmanager
    def watch(self, turn: Turn) -> Iterator[Subscription]:
        """Inside, the listener gets the turn's events as they are appended, and `b""` when it has another place."""
        moved = [keys.POSITION_CHANGED(turn.session)] if turn.waiting else []
        with self._listen(keys.LIVE(turn.id), *moved) as listener:
            yield listener

    def ended(self) -> Iterator[str | None]:
        """Yield the ids of turns as they end, for ever; None when some messages may have been lost."""
        return self._ids(keys.ENDED.name)

    def stopped(self) -> Iterator[str | None]:
        """Yield the ids of running turns as they are cancelled or interrupted, for ever; None as in `ended`."""
        return self._ids(keys.STOPPED.name)

    def wake(self) -> None:
        """Every listener looks again."""
        with self._lock:
            for listeners in self._listeners.values():
                _tell(listeners, None)

    def _ids(self, channel: str) -> Iterator[str | None]:
        with self._listen(channel) as listener:
            while True:
                try:
                    message = listener.get(seconds=HEALTH_SECONDS)
                except TimeoutError:
                    continue
                yield message.decode() if message else None

    @contextmanager
    def _listen(self, *channels: str) -> Iterator[Subscription]:
        """Inside, the listener gets what is published there."""
        listener = Subscription()
        with self._lock:
            for channel in channels:
                self._join(channel, listener)
        try:
            yield listener
        finally:
            with self._lock:
                for channel in channels:
                    self._part(channel, listener)

    def _join(self, channel: str, listener: Subscription) -> None:
        if not self._listeners[channel]:
            self._say("SUBSCRIBE", channel)
        self._listeners[channel].add(listener)
        if channel in self._confirmed:
            listener.hear(None)

    def _part(self, channel: str, listener: Subscription) -> None:
        self._listeners[channel].discard(listener)
        if not self._listeners[channel]:
            del self._listeners[channel]
            self._confirmed.discard(channel)
            self._say("UNSUBSCRIBE", channel)

    def _say(self, *command: str) -> None:
        """Where the line is down, whoever reads it finds out, and subscribes to everything again."""
        try:
            if self._line is not None:
                self._line.send_command(*command, check_health=False)  # who reads the line checks
        except (redis.RedisError, OSError):
            self._line = None

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._hear(self._open())
            except (redis.RedisError, OSError):
                time.sleep(RECONNECT_SECONDS)

    def _open(self) -> Any:
        line = self._client.new_connection()
        line.connect()
        with self._lock:
            self._line = line
            self._confirmed.clear()
            if self._listeners:
                self._say("SUBSCRIBE", *self._listeners)
        return line

    def _hear(self, line: Any) -> None:
        asked = False
        try:
            while self._line is line and not self._is_stopped:
                if line.can_read(timeout=HEALTH_SECONDS):
                    self._take(line.read_response(push_request=True, timeout=HEALTH_SECONDS))
                    asked = False
                elif asked:
                    raise redis.TimeoutError("the store is silent")
                else:
                    asked = True
                    with self._lock:
                        self._say("PING")
        finally:
            line.disconnect()

    def _take(self, reply: Any) -> None:
        kind, channel, said = [*reply, None, None][:3] if isinstance(reply, list) else (b"", b"", None)
        if kind not in {b"message", b"subscribe"}:
            return
        with self._lock:
            name = channel.decode()
            if kind == b"subscribe":
                self._confirmed.add(name)
            _tell(self._listeners.get(name, ()), said if kind == b"message" else None)


def _tell(listeners: Iterable[Subscription], message: Message) -> None:
    for listener in listeners:
        listener.hear(message)
