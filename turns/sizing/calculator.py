"""Memory, primaries, workers and bandwidth of an installation, from its load and its settings. A pure function."""

import math
from dataclasses import dataclass

from turns.sizing import constants as c

DAY_SECONDS = 86_400
YEAR_SECONDS = 365 * DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What callers do. Shares are between 0 and 1.

    `peak_factor`: turns per second in the busiest minutes for each one of the daily average. `kept_events_share` of the
    turns keep their event streams, because they fail, are cancelled, or emit more than text.
    """

    turns_per_day: float
    question_bytes: float = 100
    answer_bytes: float = 600
    turn_seconds: float = 6
    turns_per_session: float = 5
    peak_factor: float = 4
    streamed_share: float = 1
    kept_events_share: float = 0.05

    @property
    def text_bytes(self) -> float:
        return self.question_bytes + self.answer_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The settings in force, and the memory of one primary. `session_seconds` is None if sessions are kept for ever."""

    event_seconds: float = 900
    result_seconds: float = DAY_SECONDS
    session_seconds: float | None = 30 * DAY_SECONDS
    concurrency: int = 200
    history_window: int = 50
    has_history_files: bool = False
    primary_bytes: float = 64e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One kind of data: how much of it a turn leaves, and for how long. `seconds` is None: for ever."""

    what: str
    bytes_per_turn: float
    seconds: float | None
    bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """`memory` is of the store. `bytes_per_year` is what it grows by if sessions are kept for ever."""

    memory: tuple[Stored, ...]
    bytes: float
    max_memory_bytes: float
    bytes_per_year: float
    turns_per_second: float
    peak_turns_per_second: float
    store_cores: float
    primaries: int
    workers: int
    store_bytes_per_second: float
    caller_bytes_per_second: float


def calculate(load: Load, limits: Limits) -> Sizing:
    """Return what this load needs. Rates and bandwidths are those of the peak."""
    average = load.turns_per_day / DAY_SECONDS
    peak = average * load.peak_factor
    memory = _memory(load, limits, average, peak)
    stored = sum(one.bytes for one in memory)
    cores = peak * _store_seconds(load)
    max_memory = stored * c.RESERVE.value
    return Sizing(
        memory=memory,
        bytes=stored,
        max_memory_bytes=max_memory,
        bytes_per_year=sum(one.bytes_per_turn for one in memory if one.seconds is None) * average * YEAR_SECONDS,
        turns_per_second=average,
        peak_turns_per_second=peak,
        store_cores=cores,
        primaries=max(1, math.ceil(max_memory / limits.primary_bytes), math.ceil(cores / c.BUSY.value)),
        workers=math.ceil(peak * load.turn_seconds / (c.BUSY.value * limits.concurrency)) + 1,
        store_bytes_per_second=peak * _store_traffic(load, limits),
        caller_bytes_per_second=peak * _caller_traffic(load),
    )


def _memory(load: Load, limits: Limits, average: float, peak: float) -> tuple[Stored, ...]:
    text = load.text_bytes * c.ALLOCATED.value
    live = c.LIVE.value + load.question_bytes * c.ALLOCATED.value
    events = load.kept_events_share * max(c.EVENTS.value, 600 + load.answer_bytes * c.ALLOCATED.value)
    session = c.SESSION.value / load.turns_per_session
    messages = session if limits.has_history_files else session + c.MESSAGES.value + text
    return (
        # The live turns of a peak: a queue behind a paused model may be longer.
        _stored("live turns", live, load.turn_seconds, peak),
        _stored("kept event streams", events, limits.event_seconds, average),
        _stored("results", c.RECORD.value + _record_text(load) * c.ALLOCATED.value, limits.result_seconds, average),
        _stored("sessions and their messages", messages, limits.session_seconds, average),
    )


def _record_text(load: Load) -> float:
    return load.text_bytes * (c.COMPRESSED.value if load.text_bytes >= c.MIN_COMPRESSED.value else 1)


def _stored(what: str, bytes_per_turn: float, seconds: float | None, rate: float) -> Stored:
    kept = YEAR_SECONDS if seconds is None else seconds
    return Stored(what=what, bytes_per_turn=bytes_per_turn, seconds=seconds, bytes=bytes_per_turn * kept * rate)


def _store_seconds(load: Load) -> float:
    """Return the CPU time of the store for a turn."""
    return (c.POLLED.value + load.streamed_share * _pieces(load) * c.PIECE.value) / 1e6


def _pieces(load: Load) -> float:
    """Return the number of pieces in which an answer is streamed."""
    return max(1.0, min(c.PIECES.value * load.turn_seconds, load.answer_bytes / c.WORD.value))


def _store_traffic(load: Load, limits: Limits) -> float:
    """Return the bytes between the store and the other processes for a turn, in both directions."""
    read = min(limits.history_window, load.turns_per_session)  # messages: on average, half of a session
    history = 0 if limits.has_history_files else read * (load.text_bytes + c.MESSAGES.value) / 2
    stream = load.streamed_share * (load.answer_bytes + _pieces(load) * c.MESSAGE_FRAME.value)
    return c.COMMANDS.value + 4 * load.text_bytes + history + 2 * stream


def _caller_traffic(load: Load) -> float:
    """Return the bytes between callers and endpoint for a turn, in both directions."""
    frames = 4 + load.streamed_share * _pieces(load)
    return load.question_bytes + (1 + load.streamed_share) * load.answer_bytes + frames * c.MESSAGE_FRAME.value
