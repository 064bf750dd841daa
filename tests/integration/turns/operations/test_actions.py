"""Tests of what operators do to failed turns, sessions and workers."""

import dataclasses
from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.error_codes import Code
from turns.domain.errors import AssistantNotFound, CountChanged, IntakePaused, TurnNotFound, WorkerNotFound
from turns.domain.turn import Claim, Turn
from turns.operations.actions import DRAIN_SECONDS, OperatorActions
from turns.pauses.part import INTAKE
from turns.pauses.pauses import Pauses
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


@pytest.fixture
def actions(client: Client, store: TurnStore, settings: Settings) -> OperatorActions:
    return OperatorActions(client, store, AssistantRegistry(settings).find)


def test_failed_turns_are_listed_until_they_are_resolved(
    accept: Accept, claim: ClaimTurn, actions: OperatorActions, store: TurnStore
) -> None:
    turns = [accept(session_id=str(n), tenant=tenant) for n, tenant in enumerate(("acme", "-", "acme"))]
    codes = [Code.PROVIDER_QUOTA, Code.CHAIN_ERROR, Code.PROVIDER_QUOTA]
    for turn, code in zip(turns, codes, strict=True):
        store.fail(claim(turn), code)
    found = actions.list_failed(code=Code.PROVIDER_QUOTA, limit=10).turns
    assert {turn.id for turn in found} == {turns[0].id, turns[2].id}
    first = actions.list_failed(limit=2)
    second = actions.list_failed(after=first.after, limit=2)
    assert sorted(turn.id for page in (first, second) for turn in page.turns) == sorted(turn.id for turn in turns)
    again = actions.retry_failed(actions.find_failed(turns[0].id)).turn
    assert (again.retry_of, again.tenant) == (turns[0].id, "acme")
    actions.discard_failed(actions.find_failed(turns[1].id))
    assert [turn.id for turn in actions.list_failed(limit=10).turns] == [turns[2].id]
    with pytest.raises(TurnNotFound):
        actions.find_failed(turns[1].id)


def test_retrying_all_turns_of_a_code_checks_their_number(
    accept: Accept, claim: ClaimTurn, actions: OperatorActions, store: TurnStore
) -> None:
    for n in range(3):
        store.fail(claim(accept(session_id=str(n))), Code.PROVIDER_QUOTA)
    store.fail(claim(accept(session_id="other")), Code.CHAIN_ERROR)
    assert actions.count_failed() == {Code.PROVIDER_QUOTA: 3, Code.CHAIN_ERROR: 1}
    for act in (actions.retry_all_failed, actions.discard_all_failed):
        with pytest.raises(CountChanged, match="has changed to 3; nothing was done"):
            act(Code.PROVIDER_QUOTA, count=2)
    assert actions.count_failed()[Code.PROVIDER_QUOTA] == 3
    assert actions.retry_all_failed(Code.PROVIDER_QUOTA, count=3).done == 3
    assert actions.discard_all_failed(Code.CHAIN_ERROR, count=1).done == 1
    assert actions.count_failed() == {}
    assert len(store.list_turns(limit=10).turns) == 7


def test_a_turn_that_cannot_be_retried_does_not_block_the_others(
    accept: Accept, claim: ClaimTurn, actions: OperatorActions, store: TurnStore
) -> None:
    gone = accept(session_id="0", assistant=dataclasses.replace(DEFAULT, name="gone"))
    for turn in (gone, accept(session_id="1")):
        store.fail(claim(turn), Code.PROVIDER_QUOTA)
    result = actions.retry_all_failed(Code.PROVIDER_QUOTA, count=2)
    assert (result.done, type(result.refused)) == (1, AssistantNotFound)
    assert [turn.id for turn in actions.list_failed(limit=10).turns] == [gone.id]


def test_retrying_all_stops_when_the_intake_is_paused(
    accept: Accept, claim: ClaimTurn, actions: OperatorActions, store: TurnStore, pauses: Pauses
) -> None:
    for n in range(2):
        store.fail(claim(accept(session_id=str(n))), Code.PROVIDER_QUOTA)
    pauses.pause(INTAKE)
    result = actions.retry_all_failed(Code.PROVIDER_QUOTA, count=2)
    assert (result.done, type(result.refused)) == (0, IntakePaused)
    assert actions.count_failed() == {Code.PROVIDER_QUOTA: 2}
    pauses.resume(INTAKE)


def test_a_live_worker_can_be_drained(actions: OperatorActions, store: TurnStore, server: Server) -> None:
    store.rescue(worker="w", hint="")
    with pytest.raises(WorkerNotFound):
        actions.drain_worker("another")
    assert not store.is_drained("w")
    actions.drain_worker("w")
    assert store.is_drained("w")
    assert 0 < server.raw.ttl(keys.DRAINED("w")) <= DRAIN_SECONDS


def test_two_operators_retry_the_same_turn_once(
    accept: Accept, claim: ClaimTurn, actions: OperatorActions, store: TurnStore
) -> None:
    store.fail(claim(accept()), Code.PROVIDER_QUOTA)
    [failed] = actions.list_failed(limit=10).turns
    assert actions.retry_failed(failed).turn.id == actions.retry_failed(failed).turn.id
