"""Read a page of a tenant's ended turns in the order in which they ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from turns.backend.client import Client
from turns.backend.partition.placement import Partitions
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
    """Every method raises `StoreUnavailable` if Redis cannot be reached.

    Also if one partition with turns of the tenant is away: a page without it would have a cursor behind turns that no
    reader has seen.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._partitions = Partitions.of(settings) if settings.partitions else None
        self._scripts = [FeedScripts(partition, settings) for partition in client.partitions]

    def read(self, *, tenant: str, after: int | None, limit: int) -> EndedPage:
        """Return the turns that ended after this time (ms), all of the last day if it is None.

        The page has a few more than `limit` if they ended within the same millisecond. Turns that ended in the present
        one are left for the next page, because more can follow.
        """
        parts = [
            scripts.list_ended(tenant=tenant, after=after or 0, limit=limit, max_reads=MAX_READS)
            for scripts in self._scripts_of(tenant)
        ]
        page = merge_parts([(cursor, more, [*map(to_turn, turns)]) for cursor, more, _, turns in parts], limit=limit)
        return replace(page, has_gap=after is not None and any(gap for _, _, gap, _ in parts))

    def now(self, *, tenant: str) -> int:
        """Return the cursor behind all turns of the tenant that have ended."""
        return min(
            scripts.list_ended(tenant=tenant, after=_FUTURE_MS, limit=0, max_reads=0)[0]
            for scripts in self._scripts_of(tenant)
        )

    def _scripts_of(self, tenant: str) -> Sequence[FeedScripts]:
        one = self._partitions.of_tenant(tenant) if self._partitions else None
        return self._scripts if one is None else self._scripts[one : one + 1]


def merge_parts(parts: Sequence[tuple[int, bool, Sequence[Turn]]], *, limit: int) -> EndedPage:
    """Return the page of the whole store, from the cursor, `has_more` and the turns of each partition.

    It reaches as far as all of them do and, like each of them, consists of whole milliseconds.
    """
    cursor = min(reach for reach, _, _ in parts)
    if len(parts) == 1:
        return EndedPage(turns=tuple(parts[0][2]), after=cursor, has_more=parts[0][1], has_gap=False)
    ended = sorted(
        ((turn.finished_at or 0, turn.id, turn) for _, _, turns in parts for turn in turns), key=lambda one: one[:2]
    )
    times = [at for at, *_ in ended if at <= cursor]
    if len(times) > limit:
        cursor = times[limit - 1] if limit else cursor
    turns = tuple(turn for at, _, turn in ended if at <= cursor)
    return EndedPage(
        turns=turns, after=cursor, has_more=any(more for _, more, _ in parts) or len(turns) < len(ended), has_gap=False
    )


_FUTURE_MS = 10**15
