"""Send the text of all runs of this process to the event streams of their turns, in batches.

The path of an event:
  1. `DeltaBuffer.append` keeps the text of a run, and `DeltaEmitter.flush` sends that of all runs in one call.
  2. `turns/backend/lua/emit.lua` checks the fencing tokens, appends to each turn's Redis stream, and publishes.
  3. `turns/backend/pubsub.py` receives the published entry in each web process and hands it to the turn's readers.
  4. `web/streaming/sse.py` first replays the stream from the reader's last event id, then sends what is published.
  5. The reader, such as `inturn/protocol/event_stream.py`, reconnects with its last event id and misses nothing.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from turns.backend.script_replies import Reply
from turns.domain.errors import LeaseLost, StoreUnavailable
from turns.domain.turn import Claim, Delta
from turns.store.turns import TurnStore

FLUSH_SECONDS = 0.05  # at most 20 events per second and turn, which is faster than a person reads


class DeltaBuffer:
    """The text of one run. Appending to it does not call the store."""

    def __init__(self, claim: Claim, has_text: threading.Event) -> None:
        self.claim = claim
        self._has_text = has_text
        self._lock = threading.Lock()
        self._texts: list[str] = []
        self._sent = 0  # number of deltas that are in the stream
        self._unsent_from = 0  # index in `_texts`
        self._in_flight: Delta | None = None  # sent, but not confirmed by the store
        self._is_closed = False

    @property
    def begins_admitted_answer(self) -> bool:
        """True for the first text of a turn that was admitted to a model on hold."""
        return self.claim.is_admitted and self._sent == 0

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def unsent(self) -> str:
        """The text that was never sent. It is written with the commit."""
        return "".join(self._texts[self._unsent_from :])

    def append(self, text: str) -> None:
        if text:
            self._texts.append(text)
            if not self._has_text.is_set():
                self._has_text.set()

    def next_delta(self) -> Delta | None:
        """Return the delta to send now: an unconfirmed one again, else all unsent text; None if there is none."""
        with self._lock:
            if self._in_flight is None and not self._is_closed and self._unsent_from < len(self._texts):
                text = self.unsent
                self._unsent_from = len(self._texts)
                self._in_flight = self.claim.delta(self._sent, text)
            return self._in_flight

    def confirm(self) -> None:
        """Record that the store has the delta in flight."""
        self._sent, self._in_flight = self._sent + 1, None
        if self._unsent_from < len(self._texts):
            self._has_text.set()  # text that came while the store was unavailable must not wait for the next word

    def close(self) -> Delta | None:
        """Send no further text. Return the delta that is in flight."""
        with self._lock:
            self._is_closed = True
            return self._in_flight


class DeltaEmitter:
    """Sends the buffers of all runs together: at once after a silence, then at most every `FLUSH_SECONDS`."""

    def __init__(self, store: TurnStore, stop_runs: Callable[[Sequence[tuple[str, Reply]]], None]) -> None:
        """`stop_runs` receives the tokens of runs that have lost their leases."""
        self._store = store
        self._stop_runs = stop_runs
        self._has_text = threading.Event()
        self._sending = threading.Lock()
        self._buffers: set[DeltaBuffer] = set()

    @contextmanager
    def open(self, claim: Claim) -> Iterator[DeltaBuffer]:
        """Yield a buffer that is sent while the context is open."""
        buffer = DeltaBuffer(claim, self._has_text)
        self._buffers.add(buffer)
        try:
            yield buffer
        finally:
            self._buffers.discard(buffer)
            buffer.close()

    def flush(self) -> None:
        """Wait for text and send it. While the store is unavailable the runs continue, and the text is sent later."""
        self._has_text.wait()
        self._has_text.clear()
        with self._sending:
            deltas = {buffer: delta for buffer in list(self._buffers) if (delta := buffer.next_delta())}
            if not deltas:
                return None
            try:
                outcomes = self._store.emit(list(deltas.values()))
            except StoreUnavailable:
                return self._has_text.set()  # try again
            lost = {token for token, _ in outcomes}
            answered = [buffer.claim for buffer in deltas if buffer.begins_admitted_answer]
            for buffer in deltas:
                buffer.confirm()
        self._stop_runs(outcomes)
        for claim in answered:
            if claim.token not in lost:
                self._store.reopen(claim)
        return None

    def flush_and_close(self, buffer: DeltaBuffer) -> None:
        """Close the buffer and wait until its delta in flight is in the stream, exactly once.

        Raise `LeaseLost` or `StoreUnavailable`.
        """
        if buffer.close() is None:
            return
        with self._sending:
            delta = buffer.close()
            if delta is None:  # `flush` has sent it in the meantime
                return
            if self._store.emit([delta]):
                raise LeaseLost
            buffer.confirm()
