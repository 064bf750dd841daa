"""Conversations that regenerate, edit and fork while workers, the endpoint and the store are killed."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from inturn import Client
from inturn.client import Turn
from tests.chaos.checker import SubmittedTurn, Verdict, check
from tests.chaos.nemesis import Nemesis
from tests.chaos.run import Outcome, recoveries
from tests.support.processes import EXAMPLE_SYSTEM_MESSAGE, Stack

PACE = "[pace 0.05]"  # an answer takes half a second, so that most faults hit one
TURNS_PER_ROUND = 5  # in the first round of a conversation one fewer


@dataclass
class Chat:
    """The effect of one user: the turns that must be in each session, and the status of each turn."""

    sessions: dict[str, list[SubmittedTurn]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)

    def add(self, turn: Turn) -> None:
        """Add an ended turn, which takes the place of the one that it regenerates in its session."""
        turns = self.sessions.setdefault(turn.session_id, [])
        if turns and turns[-1].turn_id == turn.regenerates:
            self.statuses[turns.pop().turn_id] = "superseded"
        turns.append(SubmittedTurn(turn.session_id, turn.input, turn.id, len(turns) + 1))
        self.statuses[turn.id] = turn.status

    def delete(self, turn: Turn) -> None:
        """Remove the last turn of a session."""
        self.sessions[turn.session_id].pop()
        self.statuses[turn.id] = "deleted"

    def fork(self, source: str, target: str, count: int) -> None:
        """Let a session begin with the first turns of another one."""
        begin = self.sessions[source][:count]
        self.sessions[target] = [SubmittedTurn(target, turn.text, turn.turn_id, turn.sequence) for turn in begin]


def converse(url: str, session: str, rounds: int) -> Chat:
    """Send, edit, branch, delete and edit an earlier message. The client repeats each request until its answer."""
    chat = Chat()
    with Client(url) as client:
        for n in range(rounds):
            text = f"{session} turn {n}"
            first = _ask(client, session, text)
            chat.add(first)
            chat.add(client.turns.regenerate(first.id, f"{text} edited {PACE}").wait())
            fork = client.sessions.fork(session, through_turn=chat.sessions[session][-1].turn_id)
            chat.fork(session, fork.session_id, n + 1)
            chat.add(_ask(client, fork.session_id, f"{text} in a fork"))
            unwanted = _ask(client, fork.session_id, f"{text} unwanted")
            chat.add(unwanted)
            unwanted.delete()
            chat.delete(unwanted)
            if n:
                earlier = client.turns.regenerate(chat.sessions[session][0].turn_id, f"{text} earlier {PACE}").wait()
                chat.fork(session, earlier.session_id, 0)
                chat.add(earlier)
    return chat


def _ask(client: Client, session: str, text: str) -> Turn:
    return client.turns.create(session, f"{text} {PACE}", assistant="example", variables={"ability": "math"}).wait()


def run_edits(
    stack: Stack, *, chats: int, rounds: int, faults: Counter[str], every_seconds: float, seed: int
) -> Outcome:
    """Return the outcome of all sessions, with their forks, after the faults."""
    nemesis = Nemesis(stack, seed=seed, every_seconds=every_seconds, faults=faults)
    nemesis.start()
    with ThreadPoolExecutor(chats) as pool:
        done = list(pool.map(lambda n: converse(stack.url, f"chat-{n}", rounds), range(chats)))
    nemesis.finish()
    statuses = {turn_id: status for chat in done for turn_id, status in chat.statuses.items()}
    answered = [turn_id for turn_id, status in statuses.items() if status in {"completed", "superseded", "deleted"}]
    return Outcome(
        verdict=_check(stack, done),
        turns=len(statuses),
        completed=len(answered),
        failed_innocents=sorted(statuses.keys() - set(answered)),
        faults=nemesis.done,
        poisoned=Counter(),
        recoveries=recoveries(stack.logs(), nemesis.kills, nemesis.lost_hints),
        calls_per_turn=len(stack.model_requests()) / len(statuses),
    )


def _check(stack: Stack, chats: list[Chat]) -> Verdict:
    verdict = Verdict()
    for chat in chats:
        histories = {session: stack.all_messages(session) for session in chat.sessions}
        for session, turns in chat.sessions.items():
            one = check(turns, chat.statuses, {session: histories[session]}, system=EXAMPLE_SYSTEM_MESSAGE["content"])
            for kind, found in vars(one).items():
                getattr(verdict, kind).extend(found)
    return verdict
