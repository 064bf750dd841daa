"""The cost of a turn by the length of its session's history, for InTurn and for plain Celery."""

from functools import partial

from bench import seed_history
from bench.figures import Figure, Result, Series, interleave, median
from bench.load import run_load
from bench.stacks import InTurnStack, PlainCeleryStack, running

LENGTHS = (20, 100, 1000, 10_000)
# Turns of plain Celery per length: one turn takes half a second of CPU with 1,000 messages, and several with 10,000.
CELERY_TURNS = {20: 100, 100: 100, 1000: 40}
SESSIONS = 20
TEXT = "What does cosine mean?"


def measure(*, quick: bool) -> Result:
    rounds, turns = (1, 200) if quick else (3, 600)
    with running(InTurnStack) as inturn, running(PlainCeleryStack) as celery:
        for stack in (inturn, celery):  # seeding would trigger rewrites of the append-only file during the measurement
            stack.store.raw.config_set("auto-aof-rewrite-percentage", 0)
        _cost_ms(inturn, 20, turns=turns)
        runs = interleave(rounds, {length: partial(_cost_ms, inturn, length, turns=turns) for length in LENGTHS})
        _cost_ms(celery, 20, turns=CELERY_TURNS[20])
        celery_costs = [_cost_ms(celery, length, turns=count) for length, count in CELERY_TURNS.items()]
    costs = [median(runs[length]) for length in LENGTHS]
    label = "CPU of a turn in a session of 10,000 messages, as a multiple of one of 20"
    celery_label = "… of plain Celery in one of 1,000, as a multiple of one of 20"
    return Result(
        figures=[
            Figure(label=label, value=costs[-1] / costs[0], unit="times", max_value=1.1),
            Figure(label=celery_label, value=celery_costs[-1] / celery_costs[0], unit="times"),
        ],
        series=[
            Series(
                name="history",
                x_label="messages in the session",
                y_label="CPU of a turn, ms",
                x_values=LENGTHS,
                curves={"InTurn": costs, "plain Celery": celery_costs},
                is_logarithmic=True,
            )
        ],
    )


def _cost_ms(stack: InTurnStack, length: int, *, turns: int) -> float:
    """Measure turns in sessions of this length; both systems read the list that LangChain's class writes."""
    messages = seed_history.stored_messages() * (length // seed_history.MESSAGE_COUNT)
    return run_load(
        stack.url,
        stack.run_turn,
        text=TEXT,
        turns=turns,
        in_flight=SESSIONS,
        cpu_seconds=stack.cpu_seconds,
        seed_session=lambda session: stack.store.raw.lpush(f"message_store:{session}", *messages),
    ).cpu_ms_per_turn
