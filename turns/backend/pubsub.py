"""The pub/sub subscriptions of one process, which share one connection to the store.

Messages are lost while the connection is down. Each subscription therefore first receives `None`, and again after each
reconnection: what its reader knows may be out of date and must be read again; all later messages arrive. redis-py's
`PubSub` is not used, because it reconnects in any thread that sends a command, while another thread reads.
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

HEALTH_SECONDS = 5.0  # after this long without data the connection is checked with PING, which must be answered as fast
RECONNECT_SECONDS = 0.2
MAX_QUEUED_MESSAGES = 1000  # for one subscription; if its reader is slower, they are dropped and it must resync

Message = bytes | None  # None: messages may have been lost, so the reader must read the present state


class Subscription:
    """The messages of a channel in the order of their publication; of one turn's events, if it has a prefix."""

    def __init__(self, prefix: bytes = b"") -> None:
        self._prefix = prefix
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def put(self, message: Message) -> None:
        """Queue a message; if the queue is full, replace its content by `None`."""
        if message and not message.startswith(self._prefix):
            return
        if self._messages.qsize() >= MAX_QUEUED_MESSAGES:
            self.clear()
            message = None
        self._messages.put(message)

    def clear(self) -> None:
        """Drop the messages that have arrived so far."""
        with suppress(queue.Empty):  # the reader may take the last message at the same time
            while True:
                self._messages.get_nowait()

    def get(self, *, seconds: float) -> Message:
        """Return the next message. Raises `TimeoutError` if none arrives in this time."""
        try:
            return self._messages.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None


class Subscriptions:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()  # for the fields below and for sending
        self._connection: Any = None
        self._subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)  # by channel
        self._confirmed: set[str] = set()  # channels to which the present connection is subscribed
        self._is_stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="pubsub", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end, within `HEALTH_SECONDS`."""
        self._is_stopped = True

    @contextmanager
    def watch_turn(self, turn: Turn) -> Iterator[Subscription]:
        """Yield a subscription to the events of a turn; `b""` means that its position may have changed."""
        with self._subscribe(keys.LIVE(turn.session), prefix=f"{turn.id} ".encode()) as subscription:
            yield subscription

    @contextmanager
    def watch_session(self, session: str) -> Iterator[Subscription]:
        """Yield a subscription to the events of all turns of a session; `b""` as in `watch_turn`."""
        with self._subscribe(keys.LIVE(session)) as subscription:
            yield subscription

    @contextmanager
    def watch_ends(self) -> Iterator[Subscription]:
        """Yield a subscription to the ids of all turns that end."""
        with self._subscribe(keys.ENDED.name) as subscription:
            yield subscription

    def ended_turns(self) -> Iterator[str | None]:
        """Yield the ids of turns as they end, without an end; None if messages may have been lost."""
        return self._ids(keys.ENDED.name)

    def stopped_turns(self) -> Iterator[str | None]:
        """Yield the ids of running turns as they are cancelled or interrupted; None as in `ended_turns`."""
        return self._ids(keys.STOPPED.name)

    def connections(self, worker: str) -> Iterator[str | None]:
        """Subscribe to the channel of this worker; yield None each time the subscription begins."""
        return self._ids(keys.CONNECTION(worker))

    def resync(self) -> None:
        """Send `None` to all subscriptions, so that each reader checks the present state."""
        with self._lock:
            for subscriptions in self._subscriptions.values():
                _put(subscriptions, None)

    def _ids(self, channel: str) -> Iterator[str | None]:
        with self._subscribe(channel) as subscription:
            while True:
                try:
                    message = subscription.get(seconds=HEALTH_SECONDS)
                except TimeoutError:
                    continue
                yield message.decode() if message else None

    @contextmanager
    def _subscribe(self, channel: str, *, prefix: bytes = b"") -> Iterator[Subscription]:
        subscription = Subscription(prefix)
        with self._lock:
            self._add(channel, subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                self._remove(channel, subscription)

    def _add(self, channel: str, subscription: Subscription) -> None:
        if not self._subscriptions[channel]:
            self._send("SUBSCRIBE", channel)
        self._subscriptions[channel].add(subscription)
        if channel in self._confirmed:
            subscription.put(None)

    def _remove(self, channel: str, subscription: Subscription) -> None:
        self._subscriptions[channel].discard(subscription)
        if not self._subscriptions[channel]:
            del self._subscriptions[channel]
            self._confirmed.discard(channel)
            self._send("UNSUBSCRIBE", channel)

    def _send(self, *command: str) -> None:
        """Send a command; if the connection is down, the reading thread reconnects and subscribes again."""
        try:
            if self._connection is not None:
                # A health check would read the reply to PING in this thread; `_read` checks the connection instead.
                self._connection.send_command(*command, check_health=False)
        except (redis.RedisError, OSError):
            self._connection = None

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._read(self._connect())
            except (redis.RedisError, OSError):
                time.sleep(RECONNECT_SECONDS)

    def _connect(self) -> Any:
        connection = self._client.new_connection()
        connection.connect()
        with self._lock:
            self._connection = connection
            self._confirmed.clear()
            if self._subscriptions:
                self._send("SUBSCRIBE", *self._subscriptions)
        return connection

    def _read(self, connection: Any) -> None:
        """Distribute messages until the connection is replaced or closed. Raises what redis-py raises."""
        is_pinged = False
        try:
            while self._connection is connection and not self._is_stopped:
                if connection.can_read(timeout=HEALTH_SECONDS):
                    self._distribute(connection.read_response(push_request=True, timeout=HEALTH_SECONDS))
                    is_pinged = False
                elif is_pinged:
                    raise redis.TimeoutError("the store does not answer")
                else:
                    is_pinged = True
                    with self._lock:
                        self._send("PING")
        finally:
            connection.disconnect()

    def _distribute(self, reply: Any) -> None:
        kind, channel, message = [*reply, None, None][:3] if isinstance(reply, list) else (b"", b"", None)
        if kind not in {b"message", b"subscribe"}:
            return
        with self._lock:
            name = channel.decode()
            if kind == b"subscribe":
                self._confirmed.add(name)
            _put(self._subscriptions.get(name, ()), message if kind == b"message" else None)


def _put(subscriptions: Iterable[Subscription], message: Message) -> None:
    for subscription in subscriptions:
        subscription.put(message)
