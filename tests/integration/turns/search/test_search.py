"""A text is recognised as what it names, and a sentence says what that is."""

import re
from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.search import indexes
from turns.search.search import Search
from turns.search.suggestions import Kind
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
TRACE = "a" * 32
AGO = r"\d+ s ago"


@pytest.fixture
def search(client: Client, settings: Settings) -> Search:
    ApiKeyStore(client).create_key("acme", [Scope.TURNS])
    return Search(client, settings)


@pytest.fixture
def failed(accept: Accept, claim: Callable[[Turn], Claim], store: TurnStore) -> Turn:
    """Let the second of three turns of a user in two sessions fail; the third one waits in no session of hers."""
    first = accept(session_id="chat-1", user_id="alice", tenant="acme", request_id="req-1")
    store.cancel(first.id, tenant="acme")
    turn = accept(
        session_id="chat-2",
        user_id="alice",
        tenant="acme",
        request_id="req-2",
        idempotency_key="key 2",
        traceparent=f"00-{TRACE}-{'b' * 16}-01",
    )
    store.fail(claim(turn), Code.PROVIDER_QUOTA)
    accept(session_id="bob-1", user_id="bob", tenant="acme")
    return turn


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        (
            "alice",
            Kind.USER,
            rf"User alice of tenant acme: 2 sessions, 2 turns, last failed {AGO} \(provider_quota\)\.",
        ),
        (
            "chat-2",
            Kind.SESSION,
            rf"Session chat-2 of user alice, tenant acme: 1 turn, failed {AGO} \(provider_quota\)\.",
        ),
        ("acme", Kind.TENANT, r"Tenant acme: 3 sessions, 3 turns, last waiting for \d+ s\."),
        ("req-1", Kind.REQUEST, rf"Request req-1: 1 turn, cancelled {AGO}\."),
        (TRACE, Kind.TRACE, rf"Trace {TRACE}: 1 turn, failed {AGO} \(provider_quota\)\."),
        (f"00-{TRACE}-{'b' * 16}-01", Kind.TRACE, rf"Trace .*: 1 turn, failed {AGO} \(provider_quota\)\."),
        ("key 2", Kind.IDEMPOTENCY_KEY, rf"Idempotency key key 2: 1 turn, failed {AGO} \(provider_quota\)\."),
    ],
)
def test_a_text_is_recognised(search: Search, failed: Turn, text: str, kind: Kind, sentence: str) -> None:
    answer = search.find(text)
    assert [finding.kind for finding in answer.findings] == [kind]
    assert re.fullmatch(sentence, answer.sentence), answer.sentence
    assert answer.is_complete
    assert answer.suggestions == ()


@pytest.mark.parametrize("form", ["{}", "{hex}", "{}-2"])
def test_the_id_of_a_turn_leads_to_the_turn(search: Search, failed: Turn, form: str) -> None:
    answer = search.find(form.format(failed.id, hex=failed.id.removeprefix("turn_")))
    assert [(finding.kind, finding.to) for finding in answer.findings] == [(Kind.TURN, {"turn_id": failed.id})]
    assert answer.sentence.startswith(f"Turn {failed.id} of user alice, tenant acme: failed ")


def test_the_conditions_of_a_finding_lead_to_its_turns(search: Search, failed: Turn) -> None:
    assert search.find("alice").findings[0].to == {"tenant": "acme", "user_id": "alice"}
    assert search.find("chat-2").findings[0].to == {"tenant": "acme", "user_id": "alice", "session_id": "chat-2"}
    assert search.find("req-2").findings[0].to == {"request_id": "req-2"}
    assert [turn.id for turn in search.find("req-2").findings[0].turns] == [failed.id]


def test_one_name_of_two_things_has_two_findings(search: Search, accept: Accept) -> None:
    accept(session_id="twice", user_id="twice")
    accept(session_id="twice")
    kinds = [finding.kind for finding in search.find("twice").findings]
    assert kinds == [Kind.SESSION, Kind.SESSION, Kind.USER]


def test_a_session_without_turns_is_found(search: Search, failed: Turn, server: Server) -> None:
    server.raw.zadd(keys.SESSIONS("acme"), {"acme/carol/old": 1})
    assert search.find("old").sentence == "Session old of user carol, tenant acme: no turn is kept."
    assert search.find("carol").sentence == "User carol of tenant acme: 1 session, no turn is kept."
    server.raw.zrem(keys.SESSIONS("acme"), "acme/carol/old")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ali", [(Kind.USER, "alice")]),
        ("chat", [(Kind.SESSION, "chat-2"), (Kind.SESSION, "chat-1")]),
        ("cm", [(Kind.TENANT, "acme")]),
        ("nothing like that", []),
    ],
)
def test_nothing_found_is_no_dead_end(
    search: Search, failed: Turn, text: str, expected: list[tuple[Kind, str]]
) -> None:
    answer = search.find(text)
    assert answer.findings == ()
    assert answer.sentence.startswith(f"Nothing is named “{text}”")
    assert "Ended turns are kept for 24 h and idle sessions for 30 days." in answer.sentence
    assert [(suggestion.kind, suggestion.id) for suggestion in answer.suggestions] == expected


def test_the_end_of_a_turn_id_suggests_the_turn(search: Search, failed: Turn) -> None:
    assert [suggestion.id for suggestion in search.find(failed.id[-12:]).suggestions] == [failed.id]


def test_a_search_that_cannot_look_through_all_says_so(
    search: Search, failed: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "MAX_SCANNED_SESSIONS", 2)
    answer = search.find("chat-1")  # the session whose last activity is the oldest
    assert not answer.is_complete
    assert "Only the newest turns and sessions were looked through" in answer.sentence
