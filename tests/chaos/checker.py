"""The judge: it knows what was asked, what the model says to what, and what is there at the end.

It imports nothing of the product. A turn is named by what it said, which no other turn says. The scripted
model ends each answer with a digest of all messages that it got: a stored answer tells what history made it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class SubmittedTurn:
    """A turn that was accepted. `sequence` is its place in its session, as the acceptance told it."""

    session: str
    said: str
    turn_id: str
    sequence: int


@dataclass
class Verdict:
    """What is wrong, by kind; each entry names the session and the turn."""

    lost: list[str] = field(default_factory=list)  # accepted, and neither ended nor in the history as its end demands
    doubled: list[str] = field(default_factory=list)  # more than once in the history
    reordered: list[str] = field(default_factory=list)  # before a turn that was accepted earlier
    half: list[str] = field(default_factory=list)  # an answer without its end, or a question without an answer
    blind: list[str] = field(default_factory=list)  # made with another history than the turns before it
    invented: list[str] = field(default_factory=list)  # in the history, and never asked for

    @property
    def is_clean(self) -> bool:
        return not any(vars(self).values())

    def counts(self) -> dict[str, int]:
        return {kind: len(found) for kind, found in vars(self).items()}


def check(
    asked: Sequence[SubmittedTurn], ended: Mapping[str, str], histories: Mapping[str, Messages], *, system: str
) -> Verdict:
    """`ended`: the status of each turn by id. `histories`: `{"role", "content"}` of each session, oldest first."""
    verdict = Verdict()
    for session in {turn.session for turn in asked}:
        turns = sorted((turn for turn in asked if turn.session == session), key=lambda turn: turn.sequence)
        _check_session(turns, ended, histories.get(session, []), system, verdict)
    return verdict


def _check_session(
    turns: Sequence[SubmittedTurn], ended: Mapping[str, str], history: Messages, system: str, verdict: Verdict
) -> None:
    questions = [message["content"] for message in history if message["role"] == "user"]
    times = Counter(questions)
    known = {turn.said for turn in turns}
    verdict.invented += [said for said in times if said not in known]
    verdict.doubled += [said for said, count in times.items() if count > 1]
    for turn in turns:
        status = ended.get(turn.turn_id)
        if status not in {"completed", "failed", "cancelled", "incomplete"}:
            verdict.lost.append(f"{turn.said}: {status}")
        elif (status == "completed") != (times[turn.said] > 0):
            verdict.lost.append(f"{turn.said}: {status}, in the history {times[turn.said]} times")
    order = [turn.said for turn in turns if turn.said in times]
    seen = [said for said in dict.fromkeys(questions) if said in known]
    verdict.reordered += [said for said, expected in zip(seen, order, strict=False) if said != expected]
    _check_pairs(history, system, verdict)


def _check_pairs(history: Messages, system: str, verdict: Verdict) -> None:
    prompt = [{"role": "system", "content": system}]
    for n, message in enumerate(history):
        plain = {"role": message["role"], "content": message["content"]}
        if message["role"] == "user":
            if n + 1 == len(history) or history[n + 1]["role"] != "assistant":
                verdict.half.append(f"{message['content']}: no answer")
        else:
            question = prompt[-1]["content"]
            if not message["content"].startswith(f"answer to {question} "):
                verdict.half.append(f"{question}: {message['content']}")
            elif message["content"] != f"answer to {question} {_digest(prompt)}":
                verdict.blind.append(f"{question}: {message['content']}")
        prompt.append(plain)


def _digest(messages: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:12]
