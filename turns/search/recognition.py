"""Recognise what a text is: the id of a turn, session, user, tenant, request or trace, or an idempotency key."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.ids import is_id, user_key
from turns.domain.turn_filter import TurnFilter
from turns.operations.wording import count_of
from turns.search.found_turn import FoundTurn, read_turns
from turns.search.indexes import Scan, find_sessions, list_tenants
from turns.search.suggestions import Kind, SessionName, Suggestion, find_turns_by_part, suggest
from turns.search.turn_search import TurnQuery, list_session_turns, search_turns
from turns.search.wording import name_owner, name_state

MAX_TURNS = 20  # that a finding has
MAX_FINDINGS = 10  # of one kind; ids of sessions are unique only for one user
TURN_HEX = re.compile(r"(?:turn_)?([0-9a-f]{32})(?:-[0-9]{1,10})?")  # with the number of a run, as providers log it
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
TRACE_ID = re.compile(r"(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A thing that the text names, in a sentence; `to` has the conditions under which all its turns are found.

    `turns` are the last ones, newest first.
    """

    kind: Kind
    sentence: str
    to: Mapping[str, str]
    turns: tuple[FoundTurn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The result of a search; `is_complete` is false if there is more than was looked through."""

    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]
    is_complete: bool


class Recogniser:
    """One search for a text, at one moment."""

    def __init__(self, client: Client, text: str) -> None:
        """Begin the search. Raise `StoreUnavailable`, as `recognise` does."""
        self._client = client
        self._text = text
        seconds, microseconds = client.time()
        self._now = seconds * 1000 + microseconds // 1000
        self._tenants = list_tenants(client)
        self._is_complete = True

    def recognise(self) -> Recognised:
        """Return all that the text is, and what contains it."""
        scan = find_sessions(self._client, self._tenants, self._text) if is_id(self._text) else Scan()
        names = [SessionName.parse(name) for name in scan.found]
        steps: Sequence[Callable[[], Iterator[Finding]]] = (
            self._turns,
            lambda: self._sessions(names),
            lambda: self._users(names),
            self._tenant,
        )
        findings = tuple(finding for step in steps for finding in step()) or tuple(self._requests())
        others = Scan() if findings else find_turns_by_part(self._client, self._tenants, self._text)
        suggestions = () if findings else suggest(self._text, names, self._tenants, others.found)
        is_complete = scan.is_complete and others.is_complete and self._is_complete
        return Recognised(findings=findings, suggestions=suggestions, is_complete=is_complete)

    def _turns(self) -> Iterator[Finding]:
        found = TURN_HEX.fullmatch(self._text)
        if found is None:
            return
        for turn in read_turns(self._client, [f"turn_{found[1]}"]).values():
            sentence = f"Turn {turn.id}{name_owner(turn.tenant, turn.user_id)}: {name_state(turn, self._now)}"
            yield Finding(kind=Kind.TURN, sentence=sentence, to={"turn_id": turn.id}, turns=(turn,))

    def _sessions(self, names: Sequence[SessionName]) -> Iterator[Finding]:
        for session in [name for name in names if name.session_id == self._text][:MAX_FINDINGS]:
            turns = list_session_turns(self._client, session.name, limit=MAX_TURNS)
            count = int(self._client.zcard(keys.SESSION_TURNS(session.name)))
            sentence = (
                f"Session {self._text}{name_owner(session.tenant, session.user_id)}: {self._summarize(count, turns)}"
            )
            to = {"tenant": session.tenant, "session_id": session.session_id}
            to |= {"user_id": session.user_id} if session.user_id else {}
            yield Finding(kind=Kind.SESSION, sentence=sentence, to=to, turns=turns)

    def _users(self, names: Sequence[SessionName]) -> Iterator[Finding]:
        if not is_id(self._text):
            return
        counts = self._client.execute_many(
            [("ZCARD", keys.USER_TURNS(user_key(self._text, tenant))) for tenant in self._tenants]
        )
        for tenant, count in zip(self._tenants, counts, strict=True):
            number = sum(name.user_id == self._text and name.tenant == tenant for name in names)
            if number or count:
                conditions = TurnFilter(tenant=tenant, user_id=self._text)
                turns = self._search(TurnQuery(filter=conditions))
                sessions = count_of(max(number, len({turn.session_id for turn in turns})), "session")
                sentence = f"User {self._text}{name_owner(tenant)}: {sessions}, {self._summarize(count, turns)}"
                yield Finding(
                    kind=Kind.USER, sentence=sentence, to={"tenant": tenant, "user_id": self._text}, turns=turns
                )

    def _tenant(self) -> Iterator[Finding]:
        if self._text not in self._tenants:
            return
        sessions, count = self._client.execute_many(
            [("ZCARD", keys.SESSIONS(self._text)), ("ZCARD", keys.TURNS(self._text))]
        )
        turns = self._search(TurnQuery(filter=TurnFilter(tenant=self._text)))
        sentence = f"Tenant {self._text}: {count_of(sessions, 'session')}, {self._summarize(count, turns)}"
        yield Finding(kind=Kind.TENANT, sentence=sentence, to={"tenant": self._text}, turns=turns)

    def _requests(self) -> Iterator[Finding]:
        """Yield what requests have this id or key, which is a scan, so that it comes last."""
        trace = TRACE_ID.fullmatch(self._text)
        queries = {Kind.IDEMPOTENCY_KEY: ("Idempotency key", TurnQuery(idempotency_key=self._text))}
        if REQUEST_ID.fullmatch(self._text):
            queries[Kind.REQUEST] = ("Request", TurnQuery(request_id=self._text))
        if trace:
            queries[Kind.TRACE] = ("Trace", TurnQuery(trace_id=trace[1]))
        for kind, (noun, query) in queries.items():
            if turns := self._search(query):
                sentence = f"{noun} {self._text}: {self._summarize(len(turns), turns)}"
                value = query.request_id or query.trace_id or self._text
                name = kind if kind is Kind.IDEMPOTENCY_KEY else f"{kind}_id"
                yield Finding(kind=kind, sentence=sentence, to={name: value}, turns=turns)

    def _search(self, query: TurnQuery) -> tuple[FoundTurn, ...]:
        page = search_turns(self._client, query, limit=MAX_TURNS)
        self._is_complete = self._is_complete and page.is_complete
        return page.turns

    def _summarize(self, count: int, turns: Sequence[FoundTurn]) -> str:
        """Return the number of turns and the state of the last one, of which `turns` begins with the newest."""
        if not turns:
            return "no turn is kept"
        state = name_state(turns[0], self._now)
        return f"{count_of(count, 'turn')}, {'last ' if count > 1 else ''}{state}"
