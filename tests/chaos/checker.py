"""The checker of a chaos run: it compares the submitted turns, their results and the histories with what is correct.

It imports no product code. The text of a turn identifies it. The scripted model ends each answer with a digest of all
messages that it received, so a stored answer shows from which history it was generated.
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
    """A turn that was accepted, with its position in the session as the response reported it."""

    session: str
    text: str
    turn_id: str
    sequence: int


@dataclass
class Verdict:
    """The errors by kind; each entry names the session and the turn."""

    lost: list[str] = field(default_factory=list)  # not ended, or its history does not match its status
    doubled: list[str] = field(default_factory=list)  # more than once in the history
    reordered: list[str] = field(default_factory=list)  # before a turn that was accepted earlier
    half: list[str] = field(default_factory=list)  # an answer without its end, or a question without an answer
    blind: list[str] = field(default_factory=list)  # generated from a history other than the preceding turns
    invented: list[str] = field(default_factory=list)  # in the history, but never submitted

    @property
    def is_clean(self) -> bool:
        return not any(vars(self).values())

    def counts(self) -> dict[str, int]:
        return {kind: len(found) for kind, found in vars(self).items()}


def check(
    submitted: Sequence[SubmittedTurn], statuses: Mapping[str, str], histories: Mapping[str, Messages], *, system: str
) -> Verdict:
    """Return the verdict on a run.

    `statuses`: the status of each turn by id. `histories`: `{"role", "content"}` of each session, oldest first.
    """
    verdict = Verdict()
    for session in {turn.session for turn in submitted}:
        turns = sorted((turn for turn in submitted if turn.session == session), key=lambda turn: turn.sequence)
        _check_session(turns, statuses, histories.get(session, []), system, verdict)
    return verdict


def _check_session(
    turns: Sequence[SubmittedTurn], statuses: Mapping[str, str], history: Messages, system: str, verdict: Verdict
) -> None:
    questions = [message["content"] for message in history if message["role"] == "user"]
    times = Counter(questions)
    known = {turn.text for turn in turns}
    verdict.invented += [text for text in times if text not in known]
    verdict.doubled += [text for text, count in times.items() if count > 1]
    for turn in turns:
        status = statuses.get(turn.turn_id)
        if status not in {"completed", "failed", "cancelled", "incomplete"}:
            verdict.lost.append(f"{turn.text}: {status}")
        elif (status == "completed") != (times[turn.text] > 0):
            verdict.lost.append(f"{turn.text}: {status}, in the history {times[turn.text]} times")
    expected_order = [turn.text for turn in turns if turn.text in times]
    order = [text for text in dict.fromkeys(questions) if text in known]
    verdict.reordered += [text for text, expected in zip(order, expected_order, strict=False) if text != expected]
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
