"""The answer of a turn as the items of a response's output."""

from collections.abc import Iterator
from typing import Any

from turns.domain.turn import Turn
from web.surfaces.openai.content import text_content
from web.surfaces.openai.ids import MESSAGE, TURN

TOOLS = "inturn"  # the server label: tools run inside the assistant, and a client has no call to answer
PREFIXES = {"message": MESSAGE, "reasoning": "rs_", "mcp_call": "mcp_"}

Item = dict[str, Any]


def output_id(turn_id: str, kind: str, run: int, n: int) -> str:
    """Return the id of item n of a run of a turn."""
    return f"{PREFIXES[kind]}{turn_id.removeprefix(TURN)}_{run}_{n}"


def message_item(name: str, text: str, status: str, annotations: list[Item] | None = None) -> Item:
    content = [text_content(text, annotations or [])] if text else []
    return {"id": name, "type": "message", "role": "assistant", "status": status, "content": content}


def reasoning_item(name: str, text: str, status: str) -> Item:
    content = [{"type": "reasoning_text", "text": text}] if text else []
    return {"id": name, "type": "reasoning", "summary": [], "content": content, "status": status}


def tool_item(name: str, tool: Item) -> Item:
    """Return a call of a tool, from a part of an answer or from an event."""
    status = {"started": "in_progress", "finished": "completed"}.get(tool["state"], "failed")
    return {
        "id": name,
        "type": "mcp_call",
        "server_label": TOOLS,
        "name": tool["name"],
        "arguments": tool.get("arguments") or "{}",
        "output": tool.get("result"),
        "status": status,
    }


def to_output(turn: Turn) -> list[Item]:
    """Return the items of the answer, in order and with the ids of those that the stream has."""
    if turn.output is None:
        return []
    status = "completed" if turn.status == "completed" else "incomplete"
    items: list[Item] = []
    for kind, part in _merged(turn):
        name = output_id(turn.id, kind, turn.claims, len(items))
        match kind:
            case "message":
                start, end = part["start"], part["end"]
                annotations = list(_citations(turn, start, end))
                items.append(message_item(name, turn.output[start:end], status, annotations))
            case "reasoning":
                items.append(reasoning_item(name, part["text"], status))
            case _:
                items.append(tool_item(name, part))
    return items


def _merged(turn: Turn) -> Iterator[tuple[str, Item]]:
    """Yield the parts with consecutive texts and reasoning as one; images and citations are left out."""
    whole = [{"type": "text", "start": 0, "end": len(turn.output or "")}]
    kinds = {"text": "message", "reasoning": "reasoning", "tool": "mcp_call"}
    last: tuple[str, Item] | None = None
    for part in turn.output_parts or whole:
        kind = kinds.get(str(part["type"]))
        if kind is None:
            continue
        if last and last[0] == kind == "message":
            last[1]["end"] = part["end"]
        elif last and last[0] == kind == "reasoning":
            last[1]["text"] += part["text"]
        else:
            if last:
                yield last
            last = (kind, dict(part))
    if last:
        yield last


def _citations(turn: Turn, start: int, end: int) -> Iterator[Item]:
    for part in turn.output_parts or ():
        first, last = part.get("start_index"), part.get("end_index")
        if part["type"] != "citation" or not part.get("url") or first is None or last is None:
            continue
        if start <= first <= last <= end:
            place = {"start_index": first - start, "end_index": last - start}
            yield {"type": "url_citation", "url": part["url"], "title": part.get("title") or "", **place}
