"""The version that a turn was accepted under is there for as long as a turn needs it, and no longer."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.server import Server
from turns import keys
from turns.assistants import DEFAULT, Assistant
from turns.codes import Code
from turns.errors import ModelError, ModelErrorKind
from turns.retry import Retry
from turns.sessions import SessionStore
from turns.store import TurnStore
from turns.turn import Claim, Turn

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]
OTHER = replace(DEFAULT, system="You are somebody else.")


def lives(server: Server, assistant: Assistant) -> int:
    """-2: it is not there, -1: for ever, else milliseconds."""
    found: int = server.raw.pttl(keys.DEFINITION(assistant.digest))
    return found


def test_a_claim_brings_the_version_that_its_turn_was_accepted_under(accept: Accept, claim: Take) -> None:
    one, other = accept(session_id="a", assistant=DEFAULT), accept(session_id="b", assistant=OTHER)
    assert (claim(one).assistant, claim(other).assistant) == (DEFAULT, OTHER)


def test_it_stays_while_a_live_turn_needs_it(
    accept: Accept, claim: Take, commit: Callable[[Claim], None], store: TurnStore, server: Server
) -> None:
    first, second = accept(assistant=OTHER), accept(assistant=OTHER)
    assert lives(server, OTHER) == -1
    commit(claim(first))
    assert lives(server, OTHER) == -1
    store.cancel(second.id)
    assert lives(server, OTHER) > 0
    accept(assistant=OTHER)
    assert lives(server, OTHER) == -1, "and again"


def test_an_erased_session_needs_none(accept: Accept, sessions: SessionStore, server: Server) -> None:
    accept(assistant=OTHER)
    accept(assistant=OTHER)
    sessions.erase("s")
    assert lives(server, OTHER) > 0


def test_a_replayed_request_is_not_counted_twice(accept: Accept, store: TurnStore, server: Server) -> None:
    turn = accept(idempotency_key="k", assistant=OTHER)
    assert accept(idempotency_key="k", assistant=DEFAULT).id == turn.id
    store.cancel(turn.id)
    assert lives(server, OTHER) > 0
    assert lives(server, DEFAULT) == -2


def test_what_an_assistant_names_goes_before_what_the_worker_says(accept: Accept, store: TurnStore) -> None:
    turn = accept(assistant=replace(DEFAULT, model="own", history_messages=0))
    claimed = store.claim(turn.id, worker="w", model="worker's", fallback_model="its fallback")
    assert claimed is not None
    assert claimed.model == "own"


@pytest.mark.parametrize(("base_url", "paused"), [(None, True), ("http://other/v1", False)])
def test_a_pause_holds_for_the_provider_that_asked_for_it(
    accept: Accept, claim: Take, store: TurnStore, base_url: str | None, paused: bool
) -> None:
    """Two providers may have models of one name."""
    first = claim(accept(session_id="a", assistant=replace(DEFAULT, model="m")))
    error = ModelError(Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED)
    store.retry(first, error.code, Retry(after_seconds=60, counts=False, pause_seconds=60), model="m")
    other = accept(session_id="b", assistant=replace(DEFAULT, model="m", base_url=base_url))
    assert (store.claim(other.id, worker="w") is None) == paused
