"""One run: all clients at the same time, the kills, and a verdict on the conversations of each client."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.chaos.checker import SubmittedTurn, Verdict, check
from tests.chaos.nemesis import Nemesis
from tests.chaos.surfaces.talking import Answers, Client, Conversation
from tests.support.processes import SYSTEM_MESSAGE, Stack, call

TABLE_HEAD = "| Client | Turns | Completed | Lost | Doubled | Reordered | Half | Blind | Invented | Shown otherwise |"
PACE = "[pace 0.1]"  # an answer takes most of a second, so that each kill hits answers in progress


@dataclass(frozen=True)
class Outcome:
    """What became of the turns of one client, or of all."""

    turns: int
    completed: int
    verdict: Verdict
    misshown: list[str]  # texts for which the client showed another answer than the history has

    @property
    def is_clean(self) -> bool:
        return self.verdict.is_clean and not self.misshown and self.completed == self.turns

    def row(self, name: str) -> str:
        cells = [name, self.turns, self.completed, *self.verdict.counts().values(), len(self.misshown)]
        return "| " + " | ".join(map(str, cells)) + " |"


def run(
    stack: Stack,
    clients: Mapping[str, Client],
    *,
    sessions: int,
    turns: int,
    faults: Counter[str],
    every_seconds: float,
    seed: int,
) -> dict[str, Outcome]:
    """Return the outcome of each client, which holds as many conversations of as many turns as the others."""
    held = {
        name: [_conversation(f"client-{number}-session-{n}", turns) for n in range(sessions)]
        for number, name in enumerate(clients)
    }
    nemesis = Nemesis(stack, seed=seed, every_seconds=every_seconds, faults=faults)
    nemesis.start()
    with ThreadPoolExecutor(len(clients)) as pool:
        shown = list(pool.map(lambda name: clients[name](stack.url, held[name]), clients))
    nemesis.finish()
    assert nemesis.done == faults, nemesis.done
    return {name: _judge(stack, held[name], answers) for name, answers in zip(clients, shown, strict=True)}


def total(outcomes: Sequence[Outcome]) -> Outcome:
    verdict = Verdict()
    for outcome in outcomes:
        for kind, found in vars(outcome.verdict).items():
            getattr(verdict, kind).extend(found)
    return Outcome(
        turns=sum(outcome.turns for outcome in outcomes),
        completed=sum(outcome.completed for outcome in outcomes),
        verdict=verdict,
        misshown=[text for outcome in outcomes for text in outcome.misshown],
    )


def _conversation(session: str, turns: int) -> Conversation:
    return Conversation(session, tuple(f"{session} turn {n} {PACE}" for n in range(turns)))


def _judge(stack: Stack, conversations: Sequence[Conversation], shown: Answers) -> Outcome:
    submitted, misshown = [], []
    statuses: dict[str, str] = {}
    histories: dict[str, list[dict[str, Any]]] = {}
    for conversation in conversations:
        session = conversation.session
        recorded = _recorded_turns(stack, session)
        histories[session] = stack.all_messages(session)
        submitted += [
            SubmittedTurn(session, text, recorded.get(text, {}).get("id", ""), number)
            for number, text in enumerate(conversation.texts)
        ]
        statuses |= {turn["id"]: turn["status"] for turn in recorded.values()}
        misshown += [text for text, answer in _answers(histories[session]) if shown.get(text) != answer]
    return Outcome(
        turns=len(submitted),
        completed=sum(statuses.get(turn.turn_id) == "completed" for turn in submitted),
        verdict=check(submitted, statuses, histories, system=SYSTEM_MESSAGE["content"]),
        misshown=misshown,
    )


def _recorded_turns(stack: Stack, session: str) -> dict[str, dict[str, Any]]:
    """Return the newest turn of each text. The protocol of a client does not matter here."""
    turns: list[dict[str, Any]] = []
    after = ""
    while True:
        page = call(f"{stack.url}/v1/turns?session_id={session}&limit=100{after}").body
        turns += page["data"]
        if not page["has_more"]:
            return {turn["input"]: turn for turn in reversed(turns)}
        after = f"&after={page['after']}"


def _answers(history: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    texts = [message["content"] for message in history]
    return list(zip(texts[::2], texts[1::2], strict=False))
