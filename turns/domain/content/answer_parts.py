"""The parts of an answer, in the order in which readers of the stream received them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from turns.domain.events import EventType, OutputEvent, ToolState

OutputPart = dict[str, Any]
Extra = tuple[int, OutputPart]  # a citation or an image, and how many characters of the text are before it


def build_parts(
    texts: Sequence[str], events: Iterable[tuple[int, OutputEvent]], extras: Sequence[Extra] = ()
) -> list[OutputPart] | None:
    """Return the parts; None if there is only text.

    `events` have the number of texts before them. A part of text has its position in the answer instead of the text,
    so that the answer is stored once.
    """
    offsets = [0]
    for text in texts:
        offsets.append(offsets[-1] + len(text))
    placed = [*_of_events((offsets[count], event) for count, event in events), *extras]
    if not placed:
        return None
    return list(_with_texts(sorted(placed, key=lambda extra: extra[0]), length=offsets[-1]))


def _with_texts(placed: Iterable[Extra], *, length: int) -> Iterator[OutputPart]:
    """Yield the parts, and the texts between them."""
    end = 0
    for offset, part in placed:
        if offset > end:
            yield {"type": "text", "start": end, "end": offset}
            end = offset
        yield part
    if length > end:
        yield {"type": "text", "start": end, "end": length}


def _of_events(events: Iterable[tuple[int, OutputEvent]]) -> Iterator[Extra]:
    """Yield one part for consecutive reasoning, and one for each tool: its last state, at the place of its start."""
    tools: dict[str, OutputPart] = {}
    for (offset, kind), group in groupby(events, lambda placed: (placed[0], placed[1].type)):
        outputs = [output for _, output in group]
        if kind is EventType.REASONING:
            yield offset, {"type": "reasoning", "text": "".join(output.text for output in outputs)}
        elif kind is EventType.TOOL:
            for output in outputs:
                event = json.loads(output.text)
                if event["state"] == ToolState.STARTED:
                    tools[event["call_id"]] = {"type": "tool", **event}
                    yield offset, tools[event["call_id"]]
                elif event["call_id"] in tools:
                    tools[event["call_id"]].update(event)
