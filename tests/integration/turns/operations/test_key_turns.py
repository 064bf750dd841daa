"""The live turns of one API key, on a real server."""

from collections.abc import Callable

import pytest

from turns.access.api_key import ApiKey, Scope
from turns.backend.client import Client
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.operations import key_turns
from turns.operations.key_turns import Cancellation, cancel_turns_of_key
from turns.store.turns import TurnStore

KEY = ApiKey(id="0" * 12, tenant="acme", scopes=frozenset({Scope.TURNS}), created_at=0, expires_at=None)


@pytest.fixture
def cancel(client: Client, store: TurnStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Cancellation]:
    """Return a function that cancels turns of the key, at most this number; it reads the heads in small parts."""
    monkeypatch.setattr(key_turns, "HEADS_PER_READ", 2)

    def cancel_one(turn_id: str) -> bool:
        return store.cancel(turn_id, tenant="acme").status is Status.CANCELLED

    return lambda limit: cancel_turns_of_key(client, cancel_one, KEY, limit=limit)


def test_only_live_turns_of_the_key_are_cancelled(
    accept: Callable[..., Turn],
    claim: Callable[[Turn], Claim],
    commit: Callable[[Claim], None],
    store: TurnStore,
    cancel: Callable[[int], Cancellation],
) -> None:
    ended = accept(session_id="ended", tenant="acme", key_id=KEY.id)
    commit(claim(ended))
    mixed = [accept(session_id="mixed", tenant="acme", key_id=key_id) for key_id in (KEY.id, "1" * 12, KEY.id)]
    others = [accept(session_id=f"s{n}", tenant="acme", key_id="1" * 12) for n in range(3)]
    foreign, without = accept(session_id="f", tenant="other", key_id=KEY.id), accept(session_id="w")
    claim(mixed[0])
    assert cancel(10) == Cancellation(count=2, has_more=False)
    status = {turn.id: store.get_turn(turn.id, tenant=turn.tenant).status for turn in (ended, *mixed, *others)}
    assert status.pop(ended.id) is Status.COMPLETED
    assert [status.pop(turn.id) for turn in mixed] == [Status.CANCELLED, Status.QUEUED, Status.CANCELLED]
    assert set(status.values()) == {Status.QUEUED}
    assert {store.get_turn(turn.id, tenant=turn.tenant).status for turn in (foreign, without)} == {Status.QUEUED}


def test_one_call_cancels_a_bounded_number(accept: Callable[..., Turn], cancel: Callable[[int], Cancellation]) -> None:
    for n in range(3):
        accept(session_id=f"s{n}", tenant="acme", key_id=KEY.id)
    assert cancel(2) == Cancellation(count=2, has_more=True)
    assert cancel(2) == Cancellation(count=1, has_more=False)


def test_a_request_repeated_with_another_key_is_the_same(accept: Callable[..., Turn], store: TurnStore) -> None:
    first = accept(tenant="acme", idempotency_key="once", key_id="0" * 12)
    again = accept(tenant="acme", idempotency_key="once", key_id="1" * 12)
    assert (again.id, again.key_id) == (first.id, "0" * 12)
