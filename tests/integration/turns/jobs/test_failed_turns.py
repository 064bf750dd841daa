"""Tests of the list of unresolved failed turns, and of the retry of one."""

from collections.abc import Callable

import pytest

from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import TurnNotFound
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_filter import TurnFilter
from turns.jobs.failed_turns import FailedTurns
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


@pytest.fixture
def failed(client: Client, store: TurnStore, settings: Settings) -> FailedTurns:
    return FailedTurns(client, store, AssistantRegistry(settings).find)


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turns.jobs.failed_turns.SCAN_LIMIT", 2)


def test_failed_turns_are_listed_until_they_are_retried(
    accept: Accept, claim: ClaimTurn, failed: FailedTurns, store: TurnStore
) -> None:
    turns = [accept(session_id=str(n), tenant=tenant) for n, tenant in enumerate(("acme", "-", "acme"))]
    codes = [Code.PROVIDER_QUOTA, Code.CHAIN_ERROR, Code.PROVIDER_QUOTA]
    for turn, code in zip(turns, codes, strict=True):
        store.fail(claim(turn), code)
    assert failed.count_failed() == {Code.PROVIDER_QUOTA: 2, Code.CHAIN_ERROR: 1}
    for conditions in (TurnFilter(code=Code.PROVIDER_QUOTA), TurnFilter(tenant="acme")):
        found = failed.list_failed(conditions=conditions, limit=10).turns
        assert {turn.id for turn in found} == {turns[0].id, turns[2].id}
    first = failed.list_failed(limit=2)
    second = failed.list_failed(after=first.after, limit=2)
    assert sorted(turn.id for page in (first, second) for turn in page.turns) == sorted(turn.id for turn in turns)
    again = failed.retry_failed(failed.find_failed(turns[0].id)).turn
    assert (again.retry_of, again.tenant) == (turns[0].id, "acme")
    assert {turn.id for turn in failed.list_failed(limit=10).turns} == {turns[1].id, turns[2].id}
    for turn_id in (turns[0].id, again.id, "turn_" + "f" * 32, "nonsense"):
        with pytest.raises(TurnNotFound):
            failed.find_failed(turn_id)


@pytest.mark.usefixtures("short_reads")
def test_failures_of_one_millisecond_are_paged_without_gaps(
    accept: Accept, claim: ClaimTurn, failed: FailedTurns, store: TurnStore, client: Client
) -> None:
    turns = [accept(session_id=str(n)) for n in range(7)]
    for turn in turns:
        store.fail(claim(turn), Code.PROVIDER_QUOTA)
        client.zadd(keys.FAILED.name, {f"-/{turn.id}": 1000})
    found: list[str] = []
    after = None
    while True:
        page = failed.list_failed(after=after, limit=1)
        found += [turn.id for turn in page.turns]
        if (after := page.after) is None:
            break
    assert found == sorted((turn.id for turn in turns), reverse=True)


def test_two_operators_retry_the_same_turn_once(
    accept: Accept, claim: ClaimTurn, failed: FailedTurns, store: TurnStore
) -> None:
    store.fail(claim(accept()), Code.PROVIDER_QUOTA)
    [turn] = failed.list_failed(limit=10).turns
    assert failed.retry_failed(turn).turn.id == failed.retry_failed(turn).turn.id
