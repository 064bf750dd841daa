"""Ids of the protocol: `resp_` in place of `turn_`, and a conversation that begins as nothing but a name."""

import hashlib

from uuid_utils import UUID, uuid7

from turns.domain.errors import TurnNotFound
from turns.domain.ids import is_turn_id

RESPONSE, TURN, CONVERSATION, MESSAGE = "resp_", "turn_", "conv_", "msg_"
QUESTION = "_q"  # end of the id of a question


def to_response_id(turn_id: str) -> str:
    return RESPONSE + turn_id.removeprefix(TURN)


def to_turn_id(response_id: str) -> str:
    """Return the id of the turn. Raises `TurnNotFound`."""
    turn_id = TURN + response_id.removeprefix(RESPONSE)
    if not response_id.startswith(RESPONSE) or not is_turn_id(turn_id):
        raise TurnNotFound
    return turn_id


def new_conversation_id(seed: str | None = None) -> str:
    """Return a new id; for the same seed, such as an idempotency key, the same one."""
    digits = hashlib.sha256(seed.encode()).hexdigest()[:32] if seed else uuid7().hex
    return CONVERSATION + digits


def conversation_created_at(conversation_id: str) -> int | None:
    """Return the time (ms) in the id of a conversation that this service has named; None for any other id."""
    try:
        name = UUID(conversation_id.removeprefix(CONVERSATION))
    except ValueError:
        return None
    is_ours = conversation_id.startswith(CONVERSATION) and name.version == 7
    return int(name.int >> 80) if is_ours else None


def item_id(turn_id: str | None, number: int, *, is_question: bool) -> str:
    """Return the id of a committed message; an imported one has no turn, and is named by its number."""
    name = turn_id.removeprefix(TURN) if turn_id else f"n{number}"
    return f"{MESSAGE}{name}{QUESTION if is_question else ''}"
