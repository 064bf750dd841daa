"""The cost of a polled turn and the turns per second on two cores, compared with plain Celery and others.

Every session holds 20 messages before its first measured turn.
"""

from functools import partial

from bench.competitors import INTURN, PLAIN_CELERY, missing_competitors, running_competitors
from bench.figures import Figure, Result, interleave, median
from bench.load import LoadResult
from bench.stacks import IN_FLIGHT, InTurnStack, running

TEXT = "What does cosine mean? [delay 0.5] [words 20]"


def measure(*, quick: bool) -> Result:
    rounds, turns = (1, 400) if quick else (3, 1200)
    with running(InTurnStack) as inturn, running_competitors() as competitors:
        stacks = {INTURN: inturn, **competitors}
        max_in_flight = {name: stack.max_in_flight for name, stack in stacks.items()}
        for stack in stacks.values():  # warm up
            _run(stack, turns // 3, IN_FLIGHT)
        costs = interleave(rounds, {name: partial(_run, stack, turns, IN_FLIGHT) for name, stack in stacks.items()})
        fastest = {
            name: partial(_run, stack, turns, max_in_flight[name])
            for name, stack in stacks.items()
            if max_in_flight[name] != IN_FLIGHT
        }
        speeds = {**costs, **interleave(rounds, fastest)}
    cost_ms = {name: median([run.cpu_ms_per_turn for run in runs]) for name, runs in costs.items()}
    speed = {name: median([run.turns_per_second for run in runs]) for name, runs in speeds.items()}
    return Result(
        figures=[*_cost_figures(cost_ms), *_speed_figures(speed, max_in_flight)], message=missing_competitors()
    )


def _run(stack: InTurnStack, turns: int, in_flight: int) -> LoadResult:
    """Run a load; the competitors get a fifth of the turns, because they need several times as long."""
    turns = turns if type(stack) is InTurnStack else max(turns // 5, in_flight)
    return stack.run_load(text=TEXT, turns=turns, in_flight=in_flight)


def _cost_figures(cost_ms: dict[str, float]) -> list[Figure]:
    label = "CPU of a polled turn in a session of 20 messages, 100 in flight: web, worker and store"
    figures = [Figure(label=label, value=cost_ms[INTURN], unit="ms", max_value=6)]
    for name in [name for name in cost_ms if name != INTURN]:
        share = cost_ms[INTURN] / cost_ms[name]
        max_share = 1 / 8 if name == PLAIN_CELERY else None
        figures.append(Figure(label=f"… of {name}", value=cost_ms[name], unit="ms"))
        figures.append(Figure(label="… InTurn's share of that", value=share, unit="", max_value=max_share))
    return figures


def _speed_figures(speed: dict[str, float], max_in_flight: dict[str, int]) -> list[Figure]:
    label = f"Turns per second in such sessions, model time 0.5 s, {max_in_flight[INTURN]} in flight, one worker"
    figures = [Figure(label=label, value=speed[INTURN], unit="/s")]
    for name in [name for name in speed if name != INTURN]:
        times = speed[INTURN] / speed[name]
        figures.append(Figure(label=f"… of {name}, {max_in_flight[name]} in flight", value=speed[name], unit="/s"))
        figures.append(Figure(label="… InTurn's as a multiple of that", value=times, unit="times", min_value=6))
    return figures
