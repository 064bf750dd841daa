"""Read the stream of a turn in this process, for a surface that sends its events in another form."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from turns.domain.turn import Turn
from web.security.auth import Authenticator, keep_authenticating
from web.streaming.sse import EventStreams


@dataclass(frozen=True, slots=True)
class NativeEvent:
    """An event of `web.schemas.events.turn`; without a type and data it is a heartbeat. Some have no id."""

    type: str = ""
    data: Any = None
    id: str = ""


def follow_turn(streams: EventStreams, turn: Turn, authenticator: Authenticator) -> Iterator[NativeEvent]:
    """Return all events of a turn. Raises like `EventStreams.open_stream`."""
    authenticate = keep_authenticating(authenticator)
    stream = streams.open_stream(turn.id, tenant=turn.tenant, after=None, authenticate=authenticate)
    return read_native_events(stream or ())


def read_native_events(stream: Iterable[bytes]) -> Iterator[NativeEvent]:
    """Yield the events of `EventStreams.open_stream`. Each item of that is one event or more, never a part of one."""
    for item in stream:
        for block in item.decode().split("\n\n"):
            fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
            if "event" in fields:
                yield NativeEvent(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            elif "" in fields and block:
                yield NativeEvent()
