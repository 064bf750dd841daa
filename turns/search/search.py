"""The door of this package: what operators ask, and the answers."""

from dataclasses import dataclass

from turns.backend.client import Client
from turns.config.settings import Settings
from turns.search.found_turn import FoundTurn
from turns.search.recognition import Finding, Recogniser
from turns.search.suggestions import Suggestion
from turns.search.turn_search import FoundPage, TurnQuery, list_session_turns, search_turns
from turns.search.wording import describe_nothing

LAST_TURNS = 20  # of a session


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """The things that a text names, most specific first; if it names nothing, names that contain it.

    `sentence` sums it up. `is_complete` is false if there is more than one search looks through.
    """

    text: str
    sentence: str
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]
    is_complete: bool


class Search:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def find(self, text: str) -> SearchAnswer:
        """Return what this text is: an id, the name of a tenant, or an idempotency key."""
        recognised = Recogniser(self._client, text).recognise()
        findings, is_complete = recognised.findings, recognised.is_complete
        nothing = describe_nothing(text, settings=self._settings, is_complete=is_complete)
        return SearchAnswer(
            text=text,
            sentence=". ".join(finding.sentence for finding in findings) + "." if findings else nothing,
            findings=findings,
            suggestions=recognised.suggestions,
            is_complete=is_complete,
        )

    def list_turns(self, query: TurnQuery, *, after: str | None = None, limit: int) -> FoundPage:
        """Return a page of the live and ended turns that match, newest first."""
        return search_turns(self._client, query, after=after, limit=limit)

    def list_session_turns(self, session: str) -> tuple[FoundTurn, ...]:
        """Return the last turns of a session, live and ended, newest first."""
        return list_session_turns(self._client, session, limit=LAST_TURNS)
