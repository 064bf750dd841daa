"""Pages of the live and ended turns that meet some conditions, newest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.ids import created_at, escape_id, session_key, user_key
from turns.domain.turn_filter import TurnFilter
from turns.search.found_turn import FoundTurn, read_turns
from turns.search.indexes import Position, Scan, find_by_key, find_by_request, find_sessions, list_tenants, newest_first

MAX_READS = 5000  # records that one page reads, about 0.1 s
CHUNK = 250
MAX_PER_SESSION = 1000
MAX_SESSIONS = 1000  # of one id, which each user may have
NO_CONDITIONS = TurnFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnQuery:
    """Conditions of a search: those of the filter, and what else is known of the turns and their requests.

    `text` is a part of the id of the turn, session or user.
    """

    filter: TurnFilter = NO_CONDITIONS
    request_id: str | None = None
    trace_id: str | None = None
    idempotency_key: str | None = None
    worker: str | None = None
    text: str = ""

    def matches(self, turn: FoundTurn) -> bool:
        wanted, values = (self.request_id, self.trace_id, self.worker), (turn.request_id, turn.trace_id, turn.worker)
        if any(want not in {None, value} for want, value in zip(wanted, values, strict=True)):
            return False
        has_text = any(self.text in name for name in (turn.id, turn.session_id, turn.user_id or ""))
        return has_text and self.filter.matches(turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """Matching turns, newest first.

    `after` is the cursor of the next page, None on the last. `is_complete` is false if one call could not read all that
    is there: then the page can be short or empty without being the last, or older turns were not looked through.
    """

    turns: tuple[FoundTurn, ...]
    after: str | None
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """The turns to read, newest first; `are_all` is false if older ones may match that no index leads to."""

    positions: Iterator[Position]
    are_all: bool = True


def search_turns(client: Client, query: TurnQuery, *, after: str | None = None, limit: int) -> FoundPage:
    """Return a page of the matching turns; `after` is the cursor of an earlier page. Raises `StoreUnavailable`."""
    found: list[FoundTurn] = []
    reads = 0
    candidates = _candidates(client, query, _position(after) if after else None)
    while chunk := list(islice(candidates.positions, CHUNK)):
        turns = read_turns(client, [turn_id for _, turn_id in chunk])
        for position in chunk:
            if (turn := turns.get(position[1])) and query.matches(turn):
                found.append(turn)
            if len(found) == limit:
                return FoundPage(turns=tuple(found), after=_cursor(position), is_complete=candidates.are_all)
        reads += len(chunk)
        if reads >= MAX_READS:
            return FoundPage(turns=tuple(found), after=_cursor(chunk[-1]), is_complete=False)
    return FoundPage(turns=tuple(found), after=None, is_complete=candidates.are_all)


def list_session_turns(client: Client, session: str, *, limit: int) -> tuple[FoundTurn, ...]:
    """Return the last turns of a session, live and ended, newest first. Raises `StoreUnavailable`."""
    newest = client.execute_many([("ZRANGE", keys.SESSION_TURNS(session), 0, limit - 1, "REV")])[0]
    return tuple(read_turns(client, [turn_id.decode() for turn_id in newest]).values())


def _candidates(client: Client, query: TurnQuery, cursor: Position | None) -> Candidates:
    """Return the turns of the smallest index that contains all matching ones."""
    conditions = query.filter
    tenants = [conditions.tenant] if conditions.tenant is not None else list_tenants(client)
    if query.idempotency_key is not None:
        return _listed(find_by_key(client, tenants, query.idempotency_key), cursor)
    if query.request_id is not None:
        return _listed(find_by_request(client, tenants, query.request_id), cursor)
    if conditions.session_id is not None:
        return _listed(_turns_of_session(client, conditions, conditions.session_id, tenants), cursor)
    if conditions.user_id is not None:
        indexes = [keys.USER_TURNS(user_key(conditions.user_id, tenant)) for tenant in tenants]
    else:
        indexes = [keys.TURNS(tenant) for tenant in tenants]
    last = (conditions.accepted_before, "") if conditions.accepted_before is not None else None
    before = min((bound for bound in (cursor, last) if bound is not None), default=None)
    return Candidates(newest_first(client, indexes, before=before, since=conditions.accepted_after))


def _turns_of_session(client: Client, conditions: TurnFilter, session_id: str, tenants: Sequence[str]) -> Scan:
    """Return the ids of the last turns of the sessions with this id: of one user, or of any and of none."""
    sessions, are_all = {session_key(session_id, conditions.user_id, tenant) for tenant in tenants}, True
    if conditions.user_id is None:
        scan, end = find_sessions(client, tenants, session_id), f"/{escape_id(session_id)}"
        sessions |= {name for name in scan.found if name.endswith(end)}
        are_all = scan.is_complete
    names = sorted(sessions)
    lists = [("ZRANGE", keys.SESSION_TURNS(name), 0, MAX_PER_SESSION - 1, "REV") for name in names[:MAX_SESSIONS]]
    found = [turn_id.decode() for turns in client.execute_many(lists) for turn_id in turns]
    return Scan(tuple(found), is_complete=are_all and len(names) <= MAX_SESSIONS)


def _listed(scan: Scan, cursor: Position | None) -> Candidates:
    """Return turns that were found by name, in the order of their ids."""
    positions = ((created_at(turn_id), turn_id) for turn_id in scan.found)
    remaining = sorted((found for found in positions if cursor is None or found < cursor), reverse=True)
    return Candidates(iter(remaining), are_all=scan.is_complete)


def _cursor(position: Position) -> str:
    return f"{position[0]}.{position[1]}"


def _position(cursor: str) -> Position:
    at, _, turn_id = cursor.partition(".")
    return int(at), turn_id
