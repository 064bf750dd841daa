"""The turns that a process accepted itself and has not heard the end of: who waits for one of them need not look first.

That look is one of the two reads of a long-poll, and a turn that was accepted a moment ago is seldom over.
"""

from typing import Protocol

from turns.domain.ids import new_turn_id
from turns.domain.turn import TurnRequest
from turns.store.acceptance import Accepted

MAX_KNOWN = 10_000  # a megabyte; of more than these, who waits looks first


class Accept(Protocol):
    def __call__(self, request: TurnRequest, *, turn_id: str) -> Accepted: ...


class LiveTurns:
    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._tenants: dict[str, str] = {}  # by turn id, the oldest first

    def accept(self, request: TurnRequest) -> Accepted:
        """As `TurnStore.accept`. The turn is known before it is recorded: its end is heard over another connection."""
        turn_id = new_turn_id()
        self._tenants[turn_id] = request.tenant
        is_new = False
        try:
            accepted = self._accept(request, turn_id=turn_id)
            is_new = not accepted.replayed
        finally:
            if not is_new:
                self.forget(turn_id)
        while len(self._tenants) > MAX_KNOWN:
            self.forget(next(iter(self._tenants)))
        return accepted

    def has(self, turn_id: str, *, tenant: str) -> bool:
        """The tenant's turn is live, or the word of its end is on its way here."""
        return self._tenants.get(turn_id) == tenant

    def forget(self, turn_id: str) -> None:
        """It has ended."""
        self._tenants.pop(turn_id, None)

    def forget_all(self) -> None:
        """Any of them may have ended unheard."""
        self._tenants.clear()
