"""Tests that a tenant cannot see or change the sessions and turns of another one."""

from collections.abc import Callable

import pytest

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.domain.errors import IdempotencyKeyReused, SessionNotFound, TurnNotFound
from turns.domain.ids import session_key
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]


def test_a_turn_of_another_tenant_is_not_found(accept: Accept, store: TurnStore) -> None:
    turn = accept(tenant="acme", start_within_seconds=60)
    assert store.get_turn(turn.id, tenant="acme") == turn
    for tenant in ("-", "other", "acm", "acme2"):
        with pytest.raises(TurnNotFound):
            store.get_turn(turn.id, tenant=tenant)
        with pytest.raises(TurnNotFound):
            store.cancel(turn.id, tenant=tenant)
        with pytest.raises(TurnNotFound):
            store.retry_failed(turn.id, find=AssistantRegistry(Settings()).find, tenant=tenant)
    assert store.get_turn(turn.id, tenant="acme").status is Status.QUEUED


def test_the_same_session_id_of_two_tenants_is_two_sessions(
    accept: Accept, claim: Callable[[Turn], Claim], commit: Callable[[Claim], None], sessions: SessionStore
) -> None:
    ours, theirs = accept(tenant="acme", user_id="alice"), accept(tenant="other", user_id="alice")
    for turn in (ours, theirs):
        assert turn.sequence == 1
        commit(claim(turn))
    sessions.erase(session_key("s", "alice", "acme"))
    with pytest.raises(SessionNotFound):
        sessions.get_session(session_key("s", "alice", "acme"))
    assert sessions.get_session(session_key("s", "alice", "other")).message_count == 2


def test_lists_contain_only_the_tenants_items(accept: Accept, store: TurnStore, sessions: SessionStore) -> None:
    turns = {tenant: accept(tenant=tenant).id for tenant in ("-", "acme", "other")}
    for tenant, turn_id in turns.items():
        assert [turn.id for turn in store.list_turns(tenant=tenant, limit=10).turns] == [turn_id]
        assert len(sessions.list_sessions(tenant=tenant, after=None, limit=10).sessions) == 1
    theirs = store.list_turns(tenant="acme", after=f"9999999999999.{turns['other']}", limit=10)
    assert [turn.id for turn in theirs.turns] == [turns["acme"]]


def test_idempotency_keys_of_tenants_are_separate(accept: Accept) -> None:
    ours, theirs = (accept(tenant=tenant, idempotency_key="k") for tenant in ("acme", "other"))
    assert ours.id != theirs.id
    with pytest.raises(IdempotencyKeyReused):
        accept("something else", tenant="acme", idempotency_key="k")
