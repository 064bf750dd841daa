"""What a turn costs in a session that has said much, beside one that has just begun; and the thirty lines likewise."""

from functools import partial

from bench import past
from bench.figures import Figure, Measured, Series, alternately, median
from bench.load import load
from bench.stacks import Ours, ThirtyLines, running

LENGTHS = (20, 100, 1000, 10_000)
# So many turns of the thirty lines by length: one of 1,000 messages takes half a second of CPU, one of 10,000 several.
THEIRS = {20: 100, 100: 100, 1000: 40}
SESSIONS = 20
SAID = "What does cosine mean?"


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 200) if quick else (3, 600)
    with running(Ours) as ours, running(ThirtyLines) as thirty:
        for stack in (ours, thirty):  # what the pasts take in the store's log is no turn's cost
            stack.server.raw.config_set("auto-aof-rewrite-percentage", 0)
        cost_of(ours, 20, turns=turns)
        runs = alternately(rounds, {length: partial(cost_of, ours, length, turns=turns) for length in LENGTHS})
        cost_of(thirty, 20, turns=THEIRS[20])
        theirs = [cost_of(thirty, length, turns=count) for length, count in THEIRS.items()]
    cost = [median(runs[length]) for length in LENGTHS]
    return Measured(
        figures=[
            Figure(
                what="CPU of a turn in a session of 10,000 messages, as a multiple of one of 20",
                value=cost[-1] / cost[0],
                unit="times",
                most=1.1,
            ),
            Figure(
                what="… of the thirty lines in one of 1,000, as a multiple of one of 20",
                value=theirs[-1] / theirs[0],
                unit="times",
            ),
        ],
        series=[
            Series(
                name="history",
                x="messages in the session",
                y="CPU of a turn, ms",
                at=LENGTHS,
                lines={"InTurn": cost, "the thirty lines": theirs},
                is_logarithmic=True,
            )
        ],
    )


def cost_of(stack: Ours, length: int, *, turns: int) -> float:
    """In sessions that have said so much before: both read the same list, as LangChain's own class writes it."""
    said = past.stored() * (length // past.MESSAGES)
    return load(
        stack.url,
        stack.one,
        said=SAID,
        turns=turns,
        in_flight=SESSIONS,
        cpu_seconds=stack.cpu_seconds,
        begin=lambda session: stack.server.raw.lpush(f"message_store:{session}", *said),
    ).cpu_ms_per_turn
