"""Read what the stream of a session begins with, and what a reader has missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from turns.backend.client import Client
from turns.backend.partition.each import call_available
from turns.backend.partition.placement import partition_of_session
from turns.backend.script_loader import to_ms
from turns.config.settings import Settings
from turns.domain.content.answer_parts import build_parts
from turns.domain.errors import TurnExpired, TurnNotFound
from turns.domain.events import START, EventType, OutputEvent, TurnEvent, event_sort_key
from turns.domain.session import Session
from turns.domain.turn import Turn
from turns.session_stream.cursor import BEFORE_ALL, END, NEW_READER, StreamCursor
from turns.session_stream.scripts import StreamScripts
from turns.store.event_stream.missed_events import read_missed_events
from turns.store.sessions import to_session
from turns.store.turns import TurnStore, to_turn

WATCH_SECONDS = 60.0  # a process with readers of sessions announces them at a third of this time
MAX_MISSED_TURNS = 50  # a reader that has missed more gets a new snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """A session at one moment.

    `turns` are those from the cursor's turn on. For a new reader, or if that turn is gone (then `has_position` is
    false), they are the live turns, or else the last turn. `known` and `changes`: those of a cursor behind all events.
    """

    session: Session
    known: int
    changes: int
    has_position: bool
    turns: tuple[Turn, ...]

    @property
    def live(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if not turn.status.is_terminal)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStart:
    """What a snapshot contains: the state, the text so far of the head, and the cursor behind it.

    `parts` are what the head has emitted beside its text, in order with it, or None.
    """

    state: StreamState
    text: str
    parts: list[dict[str, Any]] | None
    cursor: StreamCursor


@dataclass(frozen=True, slots=True)
class MissedTurn:
    """The events of a turn that a reader has not seen; the turn has ended if the last one is `done`."""

    turn: Turn
    events: Sequence[TurnEvent]


class SessionStreamStore:
    """Every method raises `StoreUnavailable` if Redis cannot be reached."""

    def __init__(self, client: Client, settings: Settings, turns: TurnStore) -> None:
        self._scripts = [StreamScripts(partition, settings) for partition in client.partitions]
        self._settings = settings
        self._turns = turns

    def announce_reader(self) -> None:
        """Let new turns be published for `WATCH_SECONDS`."""
        call_available([partial(scripts.watch_sessions, ms=to_ms(WATCH_SECONDS)) for scripts in self._scripts])

    def read_state(self, session: str, cursor: StreamCursor = NEW_READER) -> StreamState | None:
        """Return the present state for a reader with this cursor; None if there is no such session."""
        reply = self._scripts[partition_of_session(session, self._settings)].read_session_stream(
            session, turn_id=cursor.turn_id, known=cursor.known, max_turns=MAX_MISSED_TURNS
        )
        if reply is None:
            return None
        found, known, changes, position, turns = reply
        return StreamState(
            session=to_session(found, session),
            known=known,
            changes=changes,
            has_position=position is not None,
            turns=tuple(map(to_turn, turns)),
        )

    def begin(self, session: str) -> StreamStart | None:
        """Return what a new reader gets; None if there is no such session."""
        state = self.read_state(session)
        if state is None:
            return None
        text, parts, turn_id, entry_id = "", None, BEFORE_ALL, END
        if state.live:
            turn_id = state.live[0].id
            text, parts, entry_id = _fold(self._read_events(state.live[0], after=START))
        elif state.turns:
            turn_id = state.turns[-1].id
        cursor = StreamCursor(known=state.known, changes=state.changes, turn_id=turn_id, entry_id=entry_id)
        return StreamStart(state=state, text=text, parts=parts, cursor=cursor)

    def read_missed(self, state: StreamState, cursor: StreamCursor) -> list[MissedTurn] | None:
        """Return what the reader has missed, turn by turn; None if that is not known completely any more."""
        is_lost = not state.has_position or state.known < cursor.known or state.changes != cursor.changes
        if is_lost or len(state.turns) > MAX_MISSED_TURNS:
            return None
        missed = []
        for turn in state.turns:
            if cursor.is_at_end_of(turn.id):
                continue
            events = self._read_events(turn, after=cursor.entry_in(turn.id))
            if not self._is_complete(turn, events, cursor):
                return None
            missed.append(MissedTurn(turn, events))
        return missed

    def _read_events(self, turn: Turn, *, after: str) -> list[TurnEvent]:
        events, _ = read_missed_events(self._turns, turn, lambda: self._current(turn), after=after)
        return events

    def _current(self, turn: Turn) -> Turn | None:
        try:
            return self._turns.get_turn(turn.id, tenant=turn.tenant)
        except (TurnNotFound, TurnExpired):
            return None

    def _is_complete(self, turn: Turn, events: Sequence[TurnEvent], cursor: StreamCursor) -> bool:
        """Return whether no event after the cursor was lost or has expired."""
        if events:
            return not turn.status.is_terminal or events[-1].type is EventType.DONE
        if turn.status.is_terminal:
            return not turn.claims  # it had no event but its end, which its record has, too
        seen = cursor.entry_in(turn.id)
        return seen == START or event_sort_key(seen) <= event_sort_key(self._turns.last_event_id(turn.id))


def _fold(events: Sequence[TurnEvent]) -> tuple[str, list[dict[str, Any]] | None, str]:
    """Return the text of the events, the parts if it has more, and the id of the last one before `done`."""
    texts: list[str] = []
    outputs: list[tuple[int, OutputEvent]] = []
    entry_id = START
    for event in events:
        if event.type is EventType.DONE:
            break
        if event.type is EventType.RESET:
            texts, outputs = [], []
        elif event.type is EventType.DELTA:
            texts.append(event.text)
        else:
            outputs.append((len(texts), OutputEvent(event.type, event.text)))
        entry_id = event.id
    return "".join(texts), build_parts(texts, outputs), entry_id
