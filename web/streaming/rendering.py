"""Render the events of a turn as server-sent events."""

from pydantic import BaseModel

from turns.domain.errors import TurnExpired, TurnNotFound
from turns.domain.events import EventType, TurnEvent
from turns.domain.state import Status
from turns.domain.turn import Turn
from web.schemas.events.output import to_output_event
from web.schemas.events.turn import DeltaEvent, DoneEvent, ResetEvent, StatusEvent
from web.streaming.single_flight import SingleFlight


class EventRenderer:
    def __init__(self, reads: SingleFlight) -> None:
        self._reads = reads

    def render(self, turn: Turn, event: TurnEvent, *, event_id: str) -> bytes:
        data: BaseModel
        match event.type:
            case EventType.DELTA:
                data = DeltaEvent(turn_id=turn.id, attempt=event.attempt, text=event.text)
            case EventType.REASONING | EventType.TOOL | EventType.DATA:
                data = to_output_event(turn.id, event)
            case EventType.RESET:
                data = ResetEvent.model_validate({"turn_id": turn.id, "attempt": event.attempt, "reason": event.text})
            case EventType.STATUS:
                current = self.current(turn)
                data = StatusEvent(
                    turn_id=turn.id,
                    attempt=event.attempt,
                    status=Status(event.text),
                    queue=current.waiting if current else None,
                )
            case EventType.DONE:
                return self.render_done(turn, event.attempt, event_id=event_id)
        return render_event(event.type, data, event_id=event_id)

    def render_done(self, turn: Turn, attempt: int, *, event_id: str = "") -> bytes:
        done = DoneEvent(turn_id=turn.id, attempt=attempt, turn=self.current(turn))
        return render_event(EventType.DONE, done, event_id=event_id)

    def current(self, turn: Turn) -> Turn | None:
        """Return the turn as it is now; None if its session was deleted."""
        return self.find(turn.id, tenant=turn.tenant)

    def find(self, turn_id: str, *, tenant: str) -> Turn | None:
        """Return a turn of the tenant as it is now; None if there is no such turn any more."""
        try:
            return self._reads.get_turn(turn_id, tenant=tenant)
        except (TurnNotFound, TurnExpired):
            return None


def render_status(turn: Turn) -> bytes:
    """Render the status as an event without an id.

    It is not in the stream, so it must not move the reader's cursor.
    """
    status = StatusEvent(turn_id=turn.id, attempt=turn.attempt, status=turn.status, queue=turn.waiting)
    return render_event(EventType.STATUS, status)


def render_event(name: str, data: BaseModel, *, event_id: str = "") -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {data.model_dump_json()}\n\n".encode()
