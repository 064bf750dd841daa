"""Conversations that regenerate, edit and fork while workers, the endpoint and the store are killed."""

import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from inturn import Client
from inturn.client import Turn
from tests.chaos.checker import SubmittedTurn, Verdict, check
from tests.chaos.nemesis import Nemesis
from tests.support.processes import EXAMPLE_SYSTEM_MESSAGE, Stack

SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "1000"}
FAULTS = Counter(kill_worker=30, kill_web=5, kill_store=3, lose_hints=3)
PACE = "[pace 0.05]"  # an answer takes half a second, so that most faults hit one


@dataclass
class Chat:
    """What one user has done: the turns that must be in each session, and the status of each turn."""

    sessions: dict[str, list[SubmittedTurn]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)

    def add(self, turn: Turn) -> None:
        """Add an ended turn, which takes the place of the one that it regenerates in its session."""
        turns = self.sessions.setdefault(turn.session_id, [])
        if turns and turns[-1].turn_id == turn.regenerates:
            self.statuses[turns.pop().turn_id] = "superseded"
        turns.append(SubmittedTurn(turn.session_id, turn.input, turn.id, len(turns) + 1))
        self.statuses[turn.id] = turn.status

    def fork(self, source: str, target: str, count: int) -> None:
        """Let a session begin with the first turns of another one."""
        begin = self.sessions[source][:count]
        self.sessions[target] = [SubmittedTurn(target, turn.text, turn.turn_id, turn.sequence) for turn in begin]


def converse(url: str, session: str, rounds: int) -> Chat:
    """Send, edit, branch and edit an earlier message. The client repeats each request with its idempotency key."""
    chat = Chat()
    with Client(url) as client:
        for n in range(rounds):
            text = f"{session} turn {n}"
            first = client.turns.create(
                session, f"{text} {PACE}", assistant="example", variables={"ability": "math"}
            ).wait()
            chat.add(first)
            chat.add(client.turns.regenerate(first.id, f"{text} edited {PACE}").wait())
            fork = client.sessions.fork(session, through_turn=chat.sessions[session][-1].turn_id)
            chat.fork(session, fork.session_id, n + 1)
            chat.add(
                client.turns.create(
                    fork.session_id, f"{text} in a fork {PACE}", assistant="example", variables={"ability": "math"}
                ).wait()
            )
            if n:
                earlier = client.turns.regenerate(chat.sessions[session][0].turn_id, f"{text} earlier {PACE}").wait()
                chat.fork(session, earlier.session_id, 0)
                chat.add(earlier)
    return chat


def run_edits(
    stack: Stack, *, chats: int, rounds: int, faults: Counter[str], every_seconds: float, seed: int
) -> Verdict:
    """Return the verdict on all sessions, with their forks, after the faults."""
    nemesis = Nemesis(stack, seed=seed, every_seconds=every_seconds, faults=faults)
    nemesis.start()
    with ThreadPoolExecutor(chats) as pool:
        done = list(pool.map(lambda n: converse(stack.url, f"chat-{n}", rounds), range(chats)))
    nemesis.finish()
    verdict = Verdict()
    for chat in done:
        histories = {session: stack.all_messages(session) for session in chat.sessions}
        for session, turns in chat.sessions.items():
            one = check(turns, chat.statuses, {session: histories[session]}, system=EXAMPLE_SYSTEM_MESSAGE["content"])
            for kind, found in vars(one).items():
                getattr(verdict, kind).extend(found)
    return verdict


def main() -> int:
    with tempfile.TemporaryDirectory() as name, Stack(Path(name), workers=3, settings=SETTINGS) as stack:
        verdict = run_edits(stack, chats=20, rounds=8, faults=FAULTS, every_seconds=2, seed=20261128)
    sys.stdout.write(f"{verdict.counts()}\n")
    return 0 if verdict.is_clean else 1
