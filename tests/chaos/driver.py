"""The load: sessions that submit turn after turn, and never give up on one whose acceptance is not known."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.chaos.checker import SubmittedTurn
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 120
AGAIN_SECONDS = 0.2
SLOWLY = "[pace 0.1]"  # an answer takes most of a second, so that each fault finds some being written


class Driver:
    def __init__(self, stack: Stack, *, sessions: int, turns: int, per_second: float) -> None:
        self._stack = stack
        self._sessions = [f"session-{n}" for n in range(sessions)]
        self._turns = turns
        self._pause_seconds = sessions / per_second

    def submit_all(self) -> list[SubmittedTurn]:
        """All turns have been accepted."""
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            return [asked for session in pool.map(self._submit_session, self._sessions) for asked in session]

    def _submit_session(self, session: str) -> list[SubmittedTurn]:
        asked = []
        for n in range(self._turns):
            asked.append(self._submit(session, f"{session} turn {n} {SLOWLY}"))
            time.sleep(self._pause_seconds)
        return asked

    def _submit(self, session: str, said: str) -> SubmittedTurn:
        """The same idempotency key until the answer is known: so each turn is asked for exactly once."""
        accepted: list[Any] = []

        def answered() -> bool:
            try:
                answer = call(
                    f"{self._stack.url}/v1/turns",
                    method="POST",
                    body=turn_request(session, said),
                    headers={"Idempotency-Key": said},
                    seconds=5,
                )
            except OSError:
                answer = None
            if answer is None or answer.status in {429, 503}:
                time.sleep(AGAIN_SECONDS)
                return False
            assert answer.status == 202, answer
            accepted.append(answer.body)
            return True

        wait_until(f"{said} is accepted", answered, seconds=PATIENCE_SECONDS)
        return SubmittedTurn(session, said, accepted[0]["id"], accepted[0]["sequence"])

    def wait_until_ended(self, asked: Sequence[SubmittedTurn], *, seconds: float) -> None:
        """The last turn of each session has ended, and so have those before it."""
        last = {turn.session: turn.turn_id for turn in asked}
        wait_until(
            "all turns have ended", lambda: all(self._has_ended(turn) for turn in last.values()), seconds=seconds
        )

    def _has_ended(self, turn_id: str) -> bool:
        try:
            return bool(self._stack.turn(turn_id)["finished_at"])
        except (OSError, AssertionError):
            return False

    def statuses(self, asked: Sequence[SubmittedTurn]) -> dict[str, str]:
        with ThreadPoolExecutor(20) as pool:
            turns = pool.map(self._stack.turn, [turn.turn_id for turn in asked])
            return {turn["id"]: turn["status"] for turn in turns}

    def histories(self) -> dict[str, list[dict[str, str]]]:
        return {session: self._stack.all_messages(session) for session in self._sessions}
