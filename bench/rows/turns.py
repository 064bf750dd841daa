"""What a polled turn costs, and how many of them two cores make in a second; beside the thirty lines and others.

Conversations have a past: a session holds 20 messages before its first measured turn.
"""

from functools import partial

from bench.figures import Figure, Measured, alternately, median
from bench.load import Run
from bench.peers import OURS, THIRTY_LINES, missing, peers
from bench.stacks import IN_FLIGHT, Ours, running

SAID = "What does cosine mean? [delay 0.5] [words 20]"


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 400) if quick else (3, 1200)
    with running(Ours) as ours, peers() as others:
        stacks = {OURS: ours, **others}
        most = {name: stack.most_in_flight for name, stack in stacks.items()}
        few = {name: partial(_run, stack, turns, IN_FLIGHT) for name, stack in stacks.items()}
        many = {name: partial(_run, stacks[name], turns, most[name]) for name in stacks if most[name] != IN_FLIGHT}
        for stack in stacks.values():
            _run(stack, turns // 3, IN_FLIGHT)  # what is done once is done
        costs = alternately(rounds, few)
        speeds = {**costs, **alternately(rounds, many)}
    cost = {name: median([run.cpu_ms_per_turn for run in runs]) for name, runs in costs.items()}
    speed = {name: median([run.turns_per_second for run in runs]) for name, runs in speeds.items()}
    return Measured(figures=[*_costs(cost), *_speeds(speed, most)], note=missing())


def _run(stack: Ours, turns: int, in_flight: int) -> Run:
    """The others make a fifth of the turns in the same time."""
    return stack.load(
        said=SAID, turns=turns if type(stack) is Ours else max(turns // 5, in_flight), in_flight=in_flight
    )


def _costs(cost: dict[str, float]) -> list[Figure]:
    what = "CPU of a polled turn in a session of 20 messages, 100 in flight: web, worker and store"
    figures = [Figure(what=what, value=cost[OURS], unit="ms", most=6)]
    for name in [name for name in cost if name != OURS]:
        share = 1 / 8 if name == THIRTY_LINES else None
        figures.append(Figure(what=f"… of {name}", value=cost[name], unit="ms"))
        figures.append(Figure(what="… as a share of theirs", value=cost[OURS] / cost[name], unit="", most=share))
    return figures


def _speeds(speed: dict[str, float], most: dict[str, int]) -> list[Figure]:
    what = f"Turns per second in such sessions, a model of 0.5 s, {most[OURS]} in flight, one worker"
    figures = [Figure(what=what, value=speed[OURS], unit="/s")]
    for name in [name for name in speed if name != OURS]:
        times = speed[OURS] / speed[name]
        figures.append(Figure(what=f"… of {name}, {most[name]} in flight", value=speed[name], unit="/s"))
        figures.append(Figure(what="… as a multiple of theirs", value=times, unit="times", least=6))
    return figures
