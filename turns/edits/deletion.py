"""Delete: remove the last committed turn of a session, or an ended one without messages."""

from turns.backend.script_replies import Reply
from turns.domain.errors import SessionBusy, StoreUnavailable, TurnExpired, TurnNotFound, TurnNotLast
from turns.domain.ids import is_turn_id
from turns.domain.turn import Turn
from turns.edits.copies import HistoryCopies
from turns.edits.placement import ForkPlacement
from turns.store.turns import TurnStore


class Deletion:
    def __init__(self, store: TurnStore, copies: HistoryCopies, placement: ForkPlacement) -> None:
        self._store = store
        self._copies = copies
        self._placement = placement

    def delete(self, turn_id: str, *, tenant: str) -> None:
        """Delete a turn: its messages in the history, its record, its events and its idempotency key.

        The same call again changes nothing. Raises `SessionBusy`, `TurnNotLast`, or like `TurnStore.get_turn`.
        """
        outcome = self._delete(turn_id, tenant)
        match outcome:
            case Reply.SESSION_BUSY:
                raise SessionBusy
            case Reply.NOT_LAST:
                raise TurnNotLast
            case Reply.LOST:
                raise StoreUnavailable("the history has changed while its file was written")
            case Reply.GONE:
                self._store.get_turn(turn_id, tenant=tenant)  # raises `TurnExpired` for an expired one
                raise TurnNotFound

    def _delete(self, turn_id: str, tenant: str) -> Reply:
        if not is_turn_id(turn_id):
            raise TurnNotFound
        scripts, turn = self._placement.scripts_of_turn(turn_id), self._find_in_file(turn_id, tenant)
        if turn is None or turn.message_numbers is None:
            return scripts.delete_turn(turn_id, tenant=tenant, version="", count=None)
        with self._copies.copied(turn.session, turn.session, turn.message_numbers.start - 1) as copy:
            outcome = scripts.delete_turn(turn_id, tenant=tenant, version=copy.version, count=copy.count)
            copy.is_committed = outcome is Reply.REMOVED
        return outcome

    def _find_in_file(self, turn_id: str, tenant: str) -> Turn | None:
        """Return the turn if histories are files, which the caller has to write; None if it has no record."""
        try:
            return self._store.get_turn(turn_id, tenant=tenant) if self._copies.are_files else None
        except (TurnNotFound, TurnExpired):
            return None
