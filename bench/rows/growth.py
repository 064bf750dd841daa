"""The growth of the cost of a turn with the turns in flight, the stored sessions and the waiting callers.

Plain Celery is measured with the turns in flight only: unused sessions cost it nothing, and it has no long poll.
"""

import gevent

from bench import seed_history
from bench.caller import Caller
from bench.figures import Result, Series
from bench.load import run_load
from bench.stacks import IN_FLIGHT, InTurnStack, PlainCeleryStack, running

# The waiting callers wait for turns whose model is silent for almost two minutes, which is not a failure here.
SETTINGS = {"INTURN_CONCURRENCY": "1200", "INTURN_MAX_WAITERS": "2000", "INTURN_FIRST_TOKEN_SECONDS": "120"}
TEXT = "What does cosine mean? [delay 0.5] [words 20]"
Y_LABEL = "CPU of a turn, ms"


def measure(*, quick: bool) -> Result:
    turns = 300 if quick else 800
    return Result(figures=[], series=[_by_turns_in_flight(turns), _by_sessions(turns), _by_waiting_callers(turns)])


def _by_turns_in_flight(turns: int) -> Series:
    counts = (1, 10, 50, 100, 200, 400)
    with running(InTurnStack, settings={"INTURN_CONCURRENCY": "400"}) as stack:
        _warm_up(stack)
        costs = [_cost_ms(stack, in_flight=count, turns=max(20, turns * count // 400)) for count in counts]
    with running(PlainCeleryStack) as stack:
        _warm_up(stack)
        celery_costs = [
            _cost_ms(stack, in_flight=count, turns=max(20, turns * count // 600))
            for count in counts
            if count <= IN_FLIGHT
        ]
    return Series(
        name="in_flight",
        x_label="turns in flight",
        y_label=Y_LABEL,
        x_values=counts,
        curves={"InTurn": costs, "plain Celery": celery_costs},
    )


def _by_sessions(turns: int) -> Series:
    """Measure turns while the store holds other sessions with the history of ten turns each."""
    counts = (0, 1000, 5000, 20_000)
    costs, existing = [], 0
    with running(InTurnStack) as stack:
        _warm_up(stack)
        for count in counts:
            pipe = stack.store.raw.pipeline(transaction=False)
            for number in range(existing, count):
                pipe.lpush(f"message_store:old-{number}", *seed_history.stored_messages())
            pipe.execute()
            existing = count
            costs.append(_cost_ms(stack, in_flight=50, turns=turns))
    return Series(name="sessions", x_label="other sessions", y_label=Y_LABEL, x_values=counts, curves={"InTurn": costs})


def _by_waiting_callers(turns: int) -> Series:
    """Measure turns while other callers wait for turns that do not end."""
    counts = (0, 250, 500, 1000)
    costs: list[float] = []
    waiting: list[gevent.Greenlet] = []
    with running(InTurnStack, settings=SETTINGS) as stack:
        _warm_up(stack)
        for count in counts:
            while len(waiting) < count:
                waiting.append(gevent.spawn(_wait, stack.url, len(waiting)))
            gevent.sleep(3)
            costs.append(_cost_ms(stack, in_flight=50, turns=turns))
        gevent.killall(waiting)
    return Series(
        name="waiting",
        x_label="callers that wait for other turns",
        y_label=Y_LABEL,
        x_values=counts,
        curves={"InTurn": costs},
    )


def _wait(url: str, number: int) -> None:
    caller = Caller(url)
    caller.wait_for_turn(caller.submit(f"waiting-{number}", "hello [delay 110]"))


def _warm_up(stack: InTurnStack) -> None:
    run_load(stack.url, stack.run_turn, text="hello", turns=200, in_flight=50)


def _cost_ms(stack: InTurnStack, *, in_flight: int, turns: int) -> float:
    return stack.run_load(text=TEXT, turns=turns, in_flight=in_flight).cpu_ms_per_turn
