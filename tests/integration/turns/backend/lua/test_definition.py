"""Tests of how long the version of an assistant is kept: as long as a turn that was accepted under it is live."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.server import Server
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT, Assistant, Variable
from turns.domain.error_codes import Code
from turns.domain.errors import InvalidRequest, ModelError, ModelErrorKind
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
OTHER = replace(DEFAULT, system="You are another assistant.")


def ttl(server: Server, assistant: Assistant) -> int:
    """Return the time to live in milliseconds; -1: unlimited, -2: the version is not there."""
    found: int = server.raw.pttl(keys.DEFINITION(assistant.digest))
    return found


def test_a_claim_returns_the_version_of_its_acceptance(accept: Accept, claim: ClaimTurn) -> None:
    one, other = accept(session_id="a", assistant=DEFAULT), accept(session_id="b", assistant=OTHER)
    assert (claim(one).assistant, claim(other).assistant) == (DEFAULT, OTHER)


def test_a_turn_of_an_earlier_release_keeps_its_prompt(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    earlier = replace(DEFAULT, system="You are good at {ability}.", variables={"ability": Variable()})
    claimed = claim(accept(assistant=earlier, variables={"ability": "math"}))
    assert (claimed.assistant, claimed.variables) == (earlier, {"ability": "math"})
    assert AssistantRegistry(Settings()).permits(earlier), "a worker of this release runs it"
    store.fail(claimed, Code.CHAIN_ERROR)
    with pytest.raises(InvalidRequest, match=r"variables\.ability: assistant 'default' declares no such variable"):
        store.retry_failed(claimed.turn_id, find=lambda _: DEFAULT, tenant="-", idempotency_key=None)


def test_a_version_is_kept_while_a_live_turn_needs_it(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore, server: Server
) -> None:
    first, second = accept(assistant=OTHER), accept(assistant=OTHER)
    assert ttl(server, OTHER) == -1
    commit(claim(first))
    assert ttl(server, OTHER) == -1
    store.cancel(second.id)
    assert ttl(server, OTHER) > 0
    accept(assistant=OTHER)
    assert ttl(server, OTHER) == -1, "and again"


def test_an_erased_session_releases_its_versions(accept: Accept, sessions: SessionStore, server: Server) -> None:
    accept(assistant=OTHER)
    accept(assistant=OTHER)
    sessions.erase("s")
    assert ttl(server, OTHER) > 0


def test_a_replayed_request_is_not_counted_twice(accept: Accept, store: TurnStore, server: Server) -> None:
    turn = accept(idempotency_key="k", assistant=OTHER)
    assert accept(idempotency_key="k", assistant=DEFAULT).id == turn.id
    store.cancel(turn.id)
    assert ttl(server, OTHER) > 0
    assert ttl(server, DEFAULT) == -2


def test_the_assistants_model_has_priority_over_the_workers(accept: Accept, store: TurnStore) -> None:
    turn = accept(assistant=replace(DEFAULT, model="own", history_messages=0))
    claimed = store.claim(turn.id, worker="w", model="worker's", fallback_model="its fallback")
    assert claimed is not None
    assert claimed.model == "own"


@pytest.mark.parametrize(("base_url", "paused"), [(None, True), ("http://other/v1", False)])
def test_a_pause_holds_for_its_provider_only(
    accept: Accept, claim: ClaimTurn, store: TurnStore, base_url: str | None, paused: bool
) -> None:
    """Two providers may have models with the same name."""
    first = claim(accept(session_id="a", assistant=replace(DEFAULT, model="m")))
    error = ModelError(Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED)
    hold = Hold(reason=HoldReason.RATE_LIMITED, seconds=60)
    store.retry(first, error.code, Retry(after_seconds=60, counts=False, hold=hold), model="m")
    other = accept(session_id="b", assistant=replace(DEFAULT, model="m", base_url=base_url))
    assert (store.claim(other.id, worker="w") is None) == paused
