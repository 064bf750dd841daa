"""Send the output of all runs of this process to the event streams of their turns, in batches.

The path of an event:
  1. `DeltaBuffer.append` keeps the text of a run, and `DeltaEmitter.flush` sends that of all runs in one call.
     Reasoning, tools and data come with `append_event`, and are sent at their places between the texts.
  2. `turns/backend/lua/emit.lua` checks the fencing tokens, appends to each turn's Redis stream, and publishes.
  3. `turns/backend/pubsub.py` receives the published entry in each web process and hands it to the turn's readers.
  4. `web/streaming/sse.py` first replays the stream from the reader's last event id, then sends what is published.
  5. The reader, such as `inturn/protocol/event_stream.py`, reconnects with its last event id and misses nothing.
"""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from turns.backend.script_replies import Reply
from turns.domain.content.answer_parts import Extra, build_parts
from turns.domain.errors import LeaseLost, StoreUnavailable
from turns.domain.events import MAX_OUTPUT_EVENTS, EventType, OutputEvent, event_sort_key
from turns.domain.run.claim import Claim, Delta
from turns.store.partitioned.turns import PartlyEmitted
from turns.store.turns import TurnStore

FLUSH_SECONDS = 0.05  # at most 20 events per second and turn, which is faster than a person reads


class DeltaBuffer:
    """The output of one run: text, and events between its pieces. Appending to it does not call the store."""

    def __init__(self, claim: Claim, has_output: threading.Event) -> None:
        self.claim = claim
        self._has_output = has_output
        self._lock = threading.Lock()
        self._texts: list[str] = []
        self._unsent_from = 0  # index in `_texts`
        self._events: list[tuple[int, OutputEvent]] = []  # each with the number of texts before it
        self._unsent_events_from = 0  # index in `_events`
        self._event_bytes: Counter[EventType] = Counter()
        self._event_count = 0
        self._last_number = 0  # of the last piece that was sent
        self._has_answer = False  # the stream has a piece that only a model can have caused
        self._in_flight: Sequence[Delta] = ()  # sent, but not confirmed by the store
        self._is_closed = False

    @property
    def begins_admitted_answer(self) -> bool:
        """True while the first answer of a turn that was admitted to a model on hold is in flight."""
        return self.claim.is_admitted and not self._has_answer and _has_answer(self._in_flight)

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def unsent(self) -> str:
        """The text that was never sent. It is written with the commit."""
        return "".join(self._texts[self._unsent_from :])

    def is_all_of(self, output: str) -> bool:
        """Return whether the run has emitted this output, or emits it with its last piece, and nothing else."""
        return self._last_number + len(self.unsent) == len(output) and self.text == output

    def build_parts(self, extras: Sequence[Extra]) -> str | None:
        """Return the parts of the whole answer as JSON; None if it is only text."""
        parts = build_parts(self._texts, self._events, extras) if self._events or extras else None
        return None if parts is None else json.dumps(parts)

    def append(self, text: str) -> None:
        if text:
            self._texts.append(text)
            if not self._has_output.is_set():
                self._has_output.set()

    def append_event(self, event: OutputEvent, *, max_bytes: int) -> bool:
        """Add an event after the text so far; return false if the run has had too many.

        `max_bytes` is the limit for all events of one type. Reasoning beyond it is left out.
        """
        is_reasoning = event.type is EventType.REASONING
        self._event_bytes[event.type] += len(event.text.encode())
        self._event_count += not is_reasoning
        if self._event_bytes[event.type] > max_bytes or self._event_count > MAX_OUTPUT_EVENTS:
            return is_reasoning
        self._events.append((len(self._texts), event))
        self._has_output.set()
        return True

    def next_deltas(self) -> Sequence[Delta]:
        """Return the pieces to send now: unconfirmed ones again, else all that were not sent."""
        with self._lock:
            if not self._in_flight and not self._is_closed:
                self._in_flight = self._take_unsent()
            return self._in_flight

    def last_deltas(self) -> Sequence[Delta]:
        """Return the pieces that must be in the stream before the commit writes the rest of the text."""
        with self._lock:
            if not self._in_flight and self._has_unsent_events:
                self._in_flight = self._take_unsent()
            return self._in_flight

    def confirm(self) -> None:
        """Record that the store has the pieces in flight."""
        self._has_answer = self._has_answer or _has_answer(self._in_flight)
        self._in_flight = ()
        if self._unsent_from < len(self._texts) or self._has_unsent_events:
            self._has_output.set()  # output that came while the store was unavailable must not wait for the next word

    def close(self) -> None:
        """Send nothing further but the pieces in flight and what `last_deltas` returns."""
        with self._lock:
            self._is_closed = True

    @property
    def _has_unsent_events(self) -> bool:
        return self._unsent_events_from < len(self._events)

    def _take_unsent(self) -> Sequence[Delta]:
        end = len(self._texts)  # read before the events, so that one which comes meanwhile stays behind its text
        outputs: list[OutputEvent] = []
        while self._has_unsent_events and self._events[self._unsent_events_from][0] <= end:
            position, event = self._events[self._unsent_events_from]
            self._unsent_events_from += 1
            outputs += [*self._take_text(position), event]
        outputs += self._take_text(end)
        joined = _join_reasoning(outputs) if len(outputs) > 1 else outputs
        return [self._number(output) for output in joined]

    def _number(self, output: OutputEvent) -> Delta:
        delta = self.claim.delta(self._last_number, output.text, output.type)
        self._last_number = event_sort_key(delta.entry_id)[1]
        return delta

    def _take_text(self, end: int) -> Sequence[OutputEvent]:
        text = "".join(self._texts[self._unsent_from : end])
        self._unsent_from = end
        return [OutputEvent(EventType.DELTA, text)] if text else []


class DeltaEmitter:
    """Sends the buffers of all runs together: at once after a silence, then at most every `FLUSH_SECONDS`."""

    def __init__(self, store: TurnStore, stop_runs: Callable[[Sequence[tuple[str, Reply]]], None]) -> None:
        """`stop_runs` receives the tokens of runs that have lost their leases."""
        self._store = store
        self._stop_runs = stop_runs
        self._has_output = threading.Event()
        self._sending = threading.Lock()
        self._buffers: set[DeltaBuffer] = set()

    @contextmanager
    def open(self, claim: Claim) -> Iterator[DeltaBuffer]:
        """Yield a buffer that is sent while the context is open."""
        buffer = DeltaBuffer(claim, self._has_output)
        self._buffers.add(buffer)
        try:
            yield buffer
        finally:
            self._buffers.discard(buffer)
            buffer.close()

    def flush(self) -> None:
        """Wait for output and send it. While the store is unavailable the runs continue, and it is sent later."""
        self._has_output.wait()
        self._has_output.clear()
        with self._sending:
            pieces = {buffer: pieces for buffer in list(self._buffers) if (pieces := buffer.next_deltas())}
            outcomes, sent = self._emit(pieces)
            answered = [buffer.claim for buffer in sent if buffer.begins_admitted_answer]
            for buffer in sent:
                buffer.confirm()
        self._stop_runs(outcomes)
        lost = {token for token, _ in outcomes}
        for claim in answered:
            if claim.token not in lost:
                self._store.reopen(claim)

    def _emit(
        self, pieces: Mapping[DeltaBuffer, Sequence[Delta]]
    ) -> tuple[Sequence[tuple[str, Reply]], Sequence[DeltaBuffer]]:
        """Return the tokens of the runs to stop, and the buffers whose pieces the store has; others are tried again."""
        if not pieces:
            return (), ()
        try:
            return self._store.emit([piece for group in pieces.values() for piece in group]), list(pieces)
        except PartlyEmitted as error:
            self._has_output.set()
            return error.stopped, [buffer for buffer in pieces if buffer.claim.turn_id not in error.unsent]
        except StoreUnavailable:
            self._has_output.set()
            return (), ()

    def flush_and_close(self, buffer: DeltaBuffer) -> None:
        """Close the buffer and wait until all but its last text is in the stream, exactly once.

        Raise `LeaseLost` or `StoreUnavailable`.
        """
        buffer.close()
        if not buffer.last_deltas():
            return
        with self._sending:
            while pieces := buffer.last_deltas():  # `flush` may have sent them in the meantime
                if self._store.emit(pieces):
                    raise LeaseLost
                buffer.confirm()


def _has_answer(pieces: Sequence[Delta]) -> bool:
    return any(piece.type is not EventType.DATA for piece in pieces)


def _join_reasoning(outputs: Sequence[OutputEvent]) -> Iterator[OutputEvent]:
    """Yield the outputs; consecutive pieces of reasoning are one."""
    for kind, group in itertools.groupby(outputs, lambda output: output.type):
        if kind is EventType.REASONING:
            yield OutputEvent(kind, "".join(output.text for output in group))
        else:
            yield from group
