"""What the runs of a process say, on its way to those who watch their turns."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from turns.backend.script_replies import Reply
from turns.domain.errors import LeaseLost, StoreUnavailable
from turns.domain.turn import Claim, Delta
from turns.store.turns import TurnStore

FLUSH_SECONDS = 0.05  # at most 20 events a second: more is faster than anybody reads


class DeltaBuffer:
    """What one run has said. Saying something costs no call to the store."""

    def __init__(self, claim: Claim, spoken: threading.Event) -> None:
        self._claim = claim
        self._spoken = spoken
        self._lock = threading.Lock()
        self._said: list[str] = []
        self._sent = 0  # so many pieces have arrived
        self._unsent_from = 0  # in what was said
        self._underway: Delta | None = None  # sent; whether it arrived is not known until the store says so
        self._is_over = False

    @property
    def text(self) -> str:
        return "".join(self._said)

    @property
    def unsent(self) -> str:
        """What was not given to the flusher, and goes with the commit."""
        return "".join(self._said[self._unsent_from :])

    def say(self, text: str) -> None:
        if text:
            self._said.append(text)
            if not self._spoken.is_set():
                self._spoken.set()

    def next_piece(self) -> Delta | None:
        """The piece to send now: the last one again, if it is not known to have arrived."""
        with self._lock:
            if self._underway is None and not self._is_over and self._unsent_from < len(self._said):
                text = self.unsent
                self._unsent_from = len(self._said)
                self._underway = self._claim.piece(self._sent, text)
            return self._underway

    def arrived(self) -> None:
        self._sent, self._underway = self._sent + 1, None

    def end(self) -> Delta | None:
        """No further piece is taken from here. Returns the one that is underway."""
        with self._lock:
            self._is_over = True
            return self._underway


class DeltaEmitter:
    """Emits what all runs of this process have said in one call: at once where there was silence, then as often as
    `FLUSH_SECONDS` allows."""

    def __init__(self, store: TurnStore, heed: Callable[[Sequence[tuple[str, Reply]]], None]) -> None:
        """`heed` is told the tokens of runs to stop."""
        self._store = store
        self._heed = heed
        self._spoken = threading.Event()
        self._sending = threading.Lock()
        self._speeches: set[DeltaBuffer] = set()

    @contextmanager
    def listen(self, claim: Claim) -> Iterator[DeltaBuffer]:
        """Inside, what is said is emitted."""
        speech = DeltaBuffer(claim, self._spoken)
        self._speeches.add(speech)
        try:
            yield speech
        finally:
            self._speeches.discard(speech)
            speech.end()

    def flush(self) -> None:
        """Something was said, and it has been emitted, unless the store is away: that stops no run."""
        self._spoken.wait()
        self._spoken.clear()
        with self._sending:
            pieces = {speech: piece for speech in list(self._speeches) if (piece := speech.next_piece())}
            if not pieces:
                return None
            try:
                words = self._store.emit(list(pieces.values()))
            except StoreUnavailable:
                return self._spoken.set()  # try again
            for speech in pieces:
                speech.arrived()
        return self._heed(words)

    def settle(self, speech: DeltaBuffer) -> None:
        """Nothing of this speech is underway any more: what was sent has arrived, once.

        Raises `LeaseLost`, `StoreUnavailable`.
        """
        if speech.end() is None:
            return
        with self._sending:
            piece = speech.end()
            if piece is None:  # it arrived with the others meanwhile
                return
            if self._store.emit([piece]):
                raise LeaseLost
            speech.arrived()
