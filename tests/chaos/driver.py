"""The load of a chaos run: sessions that submit turn after turn and retry until each one is accepted."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from tests.chaos.checker import SubmittedTurn
from tests.support.processes import EXAMPLE, Stack, call, turn_request
from tests.support.waiting import wait_until

ACCEPT_SECONDS = 120
RETRY_SECONDS = 0.2
PACE = "[pace 0.1]"  # an answer takes most of a second, so that each fault hits answers in progress


@dataclass(frozen=True)
class Load:
    """The turns of a session: their assistant, None for `example`, and what their texts repeat in turn."""

    assistant: str | None = None
    misbehaviour: tuple[str, ...] = ("",)

    def text(self, session: str, n: int, pace: str) -> str:
        return " ".join(filter(None, (f"{session} turn {n}", self.misbehaviour[n % len(self.misbehaviour)], pace)))

    @property
    def fields(self) -> dict[str, Any]:
        return {"assistant": self.assistant} if self.assistant else EXAMPLE


class Driver:
    def __init__(
        self,
        stack: Stack,
        *,
        sessions: int,
        turns: int,
        per_second: float,
        pace: str = PACE,
        loads: Sequence[Load] = (Load(),),
    ) -> None:
        """Distribute the loads evenly among the sessions, each of which submits `turns` turns."""
        self._stack = stack
        self._sessions = [f"session-{n}" for n in range(sessions)]
        self._loads = dict(zip(self._sessions, cycle(loads), strict=False))
        self._turns = turns
        self._pace = pace
        self._pause_seconds = sessions / per_second

    def submit_all(self) -> list[SubmittedTurn]:
        """Submit the turns of all sessions and return them once all are accepted."""
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            return [turn for turns in pool.map(self._submit_session, self._sessions) for turn in turns]

    def _submit_session(self, session: str) -> list[SubmittedTurn]:
        submitted = []
        for n in range(self._turns):
            submitted.append(self._submit(session, self._loads[session].text(session, n, self._pace)))
            time.sleep(self._pause_seconds)
        return submitted

    def _submit(self, session: str, text: str) -> SubmittedTurn:
        """Submit a turn with the same idempotency key until it is accepted, so that it is accepted exactly once."""
        accepted: list[Any] = []

        def is_accepted() -> bool:
            try:
                response = call(
                    f"{self._stack.url}/v1/turns",
                    method="POST",
                    body=turn_request(session, text, **self._loads[session].fields),
                    headers={"Idempotency-Key": text},
                    seconds=5,
                )
            except OSError:
                response = None
            if response is None or response.status in {429, 503}:
                time.sleep(RETRY_SECONDS)
                return False
            assert response.status == 202, response
            accepted.append(response.body)
            return True

        wait_until(f"{text} is accepted", is_accepted, seconds=ACCEPT_SECONDS)
        return SubmittedTurn(session, text, accepted[0]["id"], accepted[0]["sequence"])

    def wait_until_ended(self, submitted: Sequence[SubmittedTurn], *, seconds: float) -> None:
        """Wait until the last turn of each session, and therefore each earlier one, has ended."""
        last = {turn.session: turn.turn_id for turn in submitted}
        wait_until(
            "all turns have ended", lambda: all(self._has_ended(turn) for turn in last.values()), seconds=seconds
        )

    def _has_ended(self, turn_id: str) -> bool:
        try:
            return bool(self._stack.turn(turn_id)["finished_at"])
        except (OSError, AssertionError):
            return False

    def read_turns(self, submitted: Sequence[SubmittedTurn]) -> list[dict[str, Any]]:
        with ThreadPoolExecutor(20) as pool:
            return list(pool.map(self._stack.turn, [turn.turn_id for turn in submitted]))

    def histories(self) -> dict[str, list[dict[str, str]]]:
        return {session: self._stack.all_messages(session) for session in self._sessions}
