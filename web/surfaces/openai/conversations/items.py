"""The committed messages of a session as the items of a conversation."""

from collections.abc import Iterator
from typing import Any

from turns.domain.errors import Refused, SessionNotFound
from turns.domain.messages import Message
from turns.store.sessions import SessionStore
from web.surfaces.openai.content import text_content, to_content
from web.surfaces.openai.ids import MESSAGE, QUESTION, item_id

PAGE = 100
MAX_PAGES = 20  # the newest messages among which an item is found


class ItemNotFound(Refused):
    """There is no such item in this conversation."""

    status, code = 404, "item_not_found"


def to_item(message: Message) -> dict[str, Any]:
    is_question = message.role == "user"
    content = to_content(message.content, message.parts) if is_question else [text_content(message.content)]
    return {
        "id": item_id(message.turn_id, message.number, is_question=is_question),
        "type": "message",
        "role": message.role,
        "status": "incomplete" if message.is_incomplete else "completed",
        "content": content,
    }


def list_items(
    store: SessionStore, session: str, *, after: int | None, limit: int, newest_first: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of items, and whether more follow. A conversation that is only a name has none."""
    try:
        page = store.list_messages(session, after=after, limit=limit, newest_first=newest_first)
    except SessionNotFound:
        return [], False
    return [to_item(message) for message in page.messages], page.after is not None


def find_message(store: SessionStore, session: str, name: str) -> Message:
    """Return the message of an item, or of an item of a response's output. Raises `ItemNotFound`."""
    wanted = _canonical(name)
    for message in _newest(store, session):
        if item_id(message.turn_id, message.number, is_question=message.role == "user") == wanted:
            return message
    raise ItemNotFound


def _canonical(name: str) -> str:
    """Return the id in a conversation: the output of a response has one for each run and piece."""
    turn, *more = name.removeprefix(MESSAGE).split("_")
    is_output = len(more) == 2 and all(part.isdecimal() for part in more)
    return f"{MESSAGE}{turn}" if is_output else f"{MESSAGE}{turn}{QUESTION if more else ''}"


def _newest(store: SessionStore, session: str) -> Iterator[Message]:
    after: int | None = None
    for _ in range(MAX_PAGES):
        try:
            page = store.list_messages(session, after=after, limit=PAGE, newest_first=True)
        except SessionNotFound:
            return
        yield from page.messages
        if page.after is None:
            return
        after = page.after
