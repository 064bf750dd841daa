"""Compare the past that a client sends with the history of a session.

Clients of stateless protocols send what they show. If that is not what the session has committed, because a question
was edited or an earlier answer was chosen again, the conversation goes on in another session, a branch.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from turns.domain.content.parts import PartType
from turns.domain.messages import Message
from web.surfaces.openai.chat.messages import Content


class Step(Enum):
    """How the question becomes a turn."""

    APPEND = auto()  # as the last one of the session
    JOIN = auto()  # it is a live turn already
    REGENERATE = auto()  # in place of the last turn
    BEGIN = auto()  # in the empty session, after the past
    BRANCH = auto()  # in a session of its branch


@dataclass(frozen=True, slots=True)
class Live:
    """A turn that has not ended, and its question."""

    turn_id: str
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """The beginning of a session's history, and its live turns in order. `is_whole`: no message is left out."""

    messages: Sequence[Message] = ()
    live: Sequence[Live] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """`turn_id` is that to join or to regenerate; the branch is named after the first `shared` messages."""

    step: Step
    turn_id: str | None = None
    shared: int = 0


def decide(history: History, past: Sequence[Content], question: Content) -> Decision:
    """Return how the question after this past becomes a turn of the session with this history."""
    committed, equal = history.messages, _count_equal(history.messages, past)
    if equal == len(committed) and history.is_whole:
        if not committed and not history.live:
            return Decision(Step.BEGIN if past else Step.APPEND)
        if decision := _behind_live_turns(history.live, past[equal:], question):
            return decision
    if equal == len(past) and history.is_whole and not history.live and (last := _only_turn(committed[equal:])):
        return Decision(Step.REGENERATE, turn_id=last)
    return Decision(Step.BRANCH, shared=_branch_length([*past, question], equal))


def branch_seed(session: str, messages: Sequence[Content]) -> str:
    """Return the seed of the id of a branch: the session, and the messages with which it leaves that one."""
    digest = hashlib.sha256(session.encode())
    for message in messages:
        digest.update(f"\n{message.role}\n{len(message.text)}\n{message.text}".encode())
    return digest.hexdigest()


def _count_equal(committed: Sequence[Message], past: Sequence[Content]) -> int:
    pairs = enumerate(zip(committed, past, strict=False))
    return next((n for n, (one, other) in pairs if not _is_equal(one, other)), min(len(committed), len(past)))


def _is_equal(committed: Message, sent: Content) -> bool:
    """Return whether two messages have the same text. A reader may have seen less of a stopped answer, or more."""
    mine, theirs = _text_of(committed).strip(), sent.text.strip()
    if committed.role != sent.role:
        return False
    return mine == theirs or (committed.is_incomplete and (mine.startswith(theirs) or theirs.startswith(mine)))


def _text_of(message: Message) -> str:
    texts = [part.text for part in message.parts if part.type is PartType.TEXT]
    return "".join(texts) if message.parts else message.content


def _behind_live_turns(live: Sequence[Live], rest: Sequence[Content], question: Content) -> Decision | None:
    """Return the decision for what follows the committed messages; None if it is not what waits or runs."""
    sent = [(one.role, one.text.strip()) for one in (*rest, question)]
    waiting = [("user", one.text.strip()) for one in live]
    if sent[:-1] == waiting:
        return Decision(Step.APPEND)
    if sent == waiting:
        return Decision(Step.JOIN, turn_id=live[-1].turn_id)
    return None


def _only_turn(messages: Sequence[Message]) -> str | None:
    """Return the turn to which all of these messages belong, if they are those of one turn."""
    turns = {message.turn_id for message in messages}
    return turns.pop() if len(turns) == 1 and messages[0].role == "user" else None


def _branch_length(messages: Sequence[Content], equal: int) -> int:
    """Return how many messages name the branch: up to the last question that the other history may share."""
    return next(n + 1 for n in range(equal, -1, -1) if messages[n].role == "user")
