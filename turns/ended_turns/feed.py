"""Read a page of a tenant's ended turns in the order in which they ended."""

from dataclasses import dataclass

from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.turn import Turn
from turns.ended_turns.scripts import FeedScripts
from turns.store.turns import to_turn

MAX_READS = 1000  # entries of all tenants that the script reads for one page, so that it takes about a millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPage:
    """Turns in the order of their end, and the cursor behind them (ms).

    The page may be short or empty although there are more (`has_more`). `has_gap`: turns after the given cursor ended
    too long ago and are left out.
    """

    turns: tuple[Turn, ...]
    after: int
    has_more: bool
    has_gap: bool


class EndedTurns:
    """Every method raises `StoreUnavailable` if Redis cannot be reached."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._scripts = FeedScripts(client, settings)

    def read(self, *, tenant: str, after: int | None, limit: int) -> EndedPage:
        """Return the turns that ended after this time (ms), all of the last day if it is None.

        The page has a few more than `limit` if they ended within the same millisecond. Turns that ended in the present
        one are left for the next page, because more can follow.
        """
        cursor, has_more, has_gap, turns = self._scripts.list_ended(
            tenant=tenant, after=after or 0, limit=limit, max_reads=MAX_READS
        )
        return EndedPage(
            turns=tuple(map(to_turn, turns)),
            after=cursor,
            has_more=has_more,
            has_gap=has_gap and after is not None,
        )

    def now(self) -> int:
        """Return the cursor behind all turns that have ended."""
        return self._scripts.list_ended(tenant="", after=_FUTURE_MS, limit=0, max_reads=0)[0]


_FUTURE_MS = 10**15
