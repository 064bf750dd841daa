"""Steps that wait for a turn, list pages and check readiness, run against simulated effect results."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest

from inturn.errors import ServiceBroken, StillRunning, StoreUnavailable, Unreachable
from inturn.protocol import requests
from inturn.protocol.parsing import turn_fields
from inturn.protocol.requests import Request, Response
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.steps import (
    Effect,
    Emit,
    Send,
    Sleep,
    TransportFailure,
    fetch_readiness,
    list_pages,
    send_with_retries,
    wait_for_turn,
)
from inturn.values import TurnData

READY = {"status": "unsafe", "durability": "none", "live_workers": 1, "live_turns": 2}


class Simulation:
    """Runs steps with a clock that only sleeping and long polls move."""

    def __init__(self, *results: Response | TransportFailure, poll_seconds: float = 0.0) -> None:
        self.now = 0.0
        self.effects: list[Effect] = []
        self.emitted: list[Any] = []
        self.policy = RequestRetryPolicy(max_retries=1, random=lambda: 1.0, clock=lambda: self.now)
        self._results = iter(results)
        self._poll_seconds = poll_seconds

    def run(self, steps: Generator[Effect | Emit[Any], Any, Any]) -> Any:
        result: Any = None
        while True:
            try:
                effect = steps.send(result)
            except StopIteration as end:
                return end.value
            if isinstance(effect, Emit):
                self.emitted.append(effect.item)
                result = None
                continue
            self.effects.append(effect)
            self.now += effect.seconds if isinstance(effect, Sleep) else self._poll_seconds
            result = None if isinstance(effect, Sleep) else next(self._results)

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(effect.request.query) for effect in self.effects if isinstance(effect, Send)]

    @property
    def delays(self) -> list[float]:
        return [effect.seconds for effect in self.effects if isinstance(effect, Sleep)]


def response(body: object, status: int = 200, **headers: str) -> Response:
    return Response(status=status, headers=headers, body=json.dumps(body).encode())


def turn(status: str) -> Response:
    fields = {"id": "turn_1", "session_id": "s", "status": status, "input": "hi"}
    return response({**fields, "accepted_at": "2026-11-25T08:00:00Z"})


def wait(simulation: Simulation, timeout_seconds: float | None) -> Any:
    build = lambda body: TurnData(**turn_fields(body))  # noqa: E731
    return simulation.run(wait_for_turn("turn_1", build, simulation.policy, timeout_seconds=timeout_seconds))


def page(after: str | None) -> Request:
    return requests.list_sessions({}, after=after, limit=2)


def test_a_failed_request_is_repeated_after_a_delay() -> None:
    simulation = Simulation(TransportFailure("cut"), response({}))
    assert simulation.run(send_with_retries(requests.get_readiness(), simulation.policy)).is_success
    assert [type(effect) for effect in simulation.effects] == [Send, Sleep, Send]


def test_the_error_is_raised_when_the_retries_are_used_up() -> None:
    simulation = Simulation(TransportFailure("cut"), TransportFailure("cut again"))
    with pytest.raises(Unreachable, match="cut again"):
        simulation.run(send_with_retries(requests.get_readiness(), simulation.policy))


def test_waiting_repeats_the_long_poll_until_the_turn_has_ended() -> None:
    simulation = Simulation(turn("queued"), turn("in_progress"), turn("completed"), poll_seconds=30)
    assert wait(simulation, None).status == "completed"
    assert simulation.queries == [{"wait": "30.000"}] * 3
    assert simulation.delays == []


def test_waiting_ends_with_an_error_after_the_timeout() -> None:
    simulation = Simulation(turn("queued"), turn("in_progress"), poll_seconds=30)
    with pytest.raises(StillRunning) as error:
        wait(simulation, 40)
    assert error.value.turn.status == "in_progress"
    assert simulation.queries == [{"wait": "30.000"}, {"wait": "10.000"}]


def test_long_polls_that_return_at_once_are_spaced_out() -> None:
    simulation = Simulation(turn("queued"), turn("completed"), poll_seconds=1)
    wait(simulation, None)
    assert simulation.delays == [1.0]


@pytest.mark.parametrize(("limit", "expected", "requested"), [(None, [1, 2, 3], 2), (3, [1, 2, 3], 2), (2, [1, 2], 1)])
def test_pages_are_requested_up_to_the_limit(limit: int | None, expected: list[int], requested: int) -> None:
    pages = [response({"data": [{"n": 1}, {"n": 2}], "after": "2"}), response({"data": [{"n": 3}], "after": None})]
    simulation = Simulation(*pages)
    number: Callable[[dict[str, Any]], int] = lambda body: body["n"]  # noqa: E731
    simulation.run(list_pages(page, number, simulation.policy, limit=limit))
    assert simulation.emitted == expected
    assert simulation.queries == [{"limit": "2"}, {"after": "2", "limit": "2"}][:requested]


def test_readiness_is_returned_even_with_an_error_status() -> None:
    assert Simulation(response(READY, status=503)).run(fetch_readiness()).status == "unsafe"


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (TransportFailure("cut"), Unreachable),
        (
            response({"type": "urn:inturn:problem:store_unavailable", "code": "store_unavailable"}, status=503),
            StoreUnavailable,
        ),
        (response({}), ServiceBroken),
    ],
)
def test_without_a_readiness_report_an_error_is_raised(
    result: Response | TransportFailure, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Simulation(result).run(fetch_readiness())
