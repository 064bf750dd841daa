"""Reading server-sent events, as a browser does."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Event:
    id: str | None
    type: str
    data: dict[str, Any]


class Stream:
    """One connection to `…/events`. Raises `OSError` or `HTTPException` when it breaks."""

    def __init__(
        self,
        url: str,
        *,
        last_event_id: str | None = None,
        seconds: float = 60,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
        resume = {"Last-Event-ID": last_event_id} if last_event_id else {}
        all_headers = {"Accept": "text/event-stream", **resume, **(headers or {})}
        self._connection.request("GET", f"{parts.path}?{parts.query}", headers=all_headers)
        self.response = self._connection.getresponse()

    @property
    def status(self) -> int:
        return self.response.status

    def __iter__(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        for raw in self.response:
            line = raw.decode().rstrip("\n")
            if not line:
                if "event" in fields:
                    yield Event(fields.get("id"), fields["event"], json.loads(fields["data"]))
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value

    def close(self) -> None:
        self.response.close()
        self._connection.close()


class StreamReader:
    """The text and the events that a client has of a turn, received over any number of connections."""

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._headers = headers
        self.last_event_id: str | None = None
        self.text = ""
        self.resets = 0
        self.done: dict[str, Any] | None = None
        self.seen: list[Event] = []

    def read(self, *, max_events: int | None = None) -> None:
        """Open a stream and read it to its end, or at most `max_events` events."""
        stream = Stream(self._url, last_event_id=self.last_event_id, headers=self._headers)
        try:
            for count, event in enumerate(stream, 1):
                self._apply(event)
                if count == max_events:
                    return
        finally:
            stream.close()

    def read_until_done(self) -> None:
        """Read to the final event; reconnect whenever the connection breaks."""
        while self.done is None:
            try:
                self.read()
            except (OSError, http.client.HTTPException):
                continue

    def _apply(self, event: Event) -> None:
        self.seen.append(event)
        self.last_event_id = event.id or self.last_event_id
        match event.type:
            case "delta":
                self.text += event.data["text"]
            case "reset":
                self.text = ""
                self.resets += 1
            case "done":
                self.done = event.data["turn"]


@dataclass
class SessionTab:
    """The text and the status of each turn that a client has from the stream of a session."""

    texts: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    last_event_id: str | None = None

    def apply(self, event: Event) -> None:
        self.last_event_id = event.id or self.last_event_id
        turn_id = event.data.get("turn_id", "")
        match event.type:
            case "snapshot":
                turns = event.data["turns"]
                self.texts = {turn["id"]: event.data["text"] if turn is turns[0] else "" for turn in turns}
                self.statuses = {turn["id"]: turn["status"] for turn in turns}
            case "accepted":
                self.texts[turn_id] = ""
                self.statuses[turn_id] = event.data["turn"]["status"]
            case "delta":
                self.texts[turn_id] += event.data["text"]
            case "reset":
                self.texts[turn_id] = ""
            case "status":
                self.statuses[turn_id] = event.data["status"]
            case "done":
                self.statuses[turn_id] = event.data["turn"]["status"]
