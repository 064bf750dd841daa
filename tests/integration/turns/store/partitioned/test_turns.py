"""The turn store over 24 partitions, which are 24 hash slots: a key outside of the slot of its script is an error."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to
from tests.integration.turns.store.partitioned.conftest import SESSIONS
from tests.support.cluster.nodes import ClusterNodes
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.settings import Placement, Settings
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, TurnNotFound
from turns.domain.ids import new_turn_id, partition_of
from turns.domain.run.claim import Claim, Delta
from turns.domain.run.retry import Retry
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.partitioned.rescue import MAX_ROUNDS, MIN_CHECKS
from turns.store.partitioned.turns import PartitionedTurnStore

Accept = Callable[..., Turn]


def status(store: PartitionedTurnStore, turn: Turn) -> Status:
    return store.get_turn(turn.id).status


def send_heartbeats(client: Client, *workers: str) -> None:
    """Let these workers have checked all partitions just now."""
    for partition in client.partitions:
        seconds, _ = partition.time()
        for worker in workers:
            partition.execute_command("ZADD", keys.WORKERS.name, (seconds + 1) * 1000, worker)


def make_due(client: Client) -> None:
    """Let all heads be due, as if their leases had run out, and let a worker have sent heartbeats without a gap."""
    send_heartbeats(client, "w")
    for partition in client.partitions:
        partition.execute_command("ZUNIONSTORE", keys.DUE.name, 1, partition.stored_name(keys.DUE.name), "WEIGHTS", 0)


def test_sessions_spread_and_their_turns_complete(
    store: PartitionedTurnStore, turns: list[Turn], claims: list[Claim]
) -> None:
    assert len({partition_of(turn.id) for turn in turns}) > 18
    assert len(claims) == SESSIONS
    for claim in claims:
        store.commit(claim, answer_to(claim), tail="bye")
    assert {status(store, turn) for turn in turns} == {Status.COMPLETED}
    assert {store.read_events(turn.id, after="0-0")[-1].text for turn in turns} == {Status.COMPLETED}


def test_the_turns_of_a_session_are_in_its_partition(store: PartitionedTurnStore, accept: Accept) -> None:
    first, second = accept("s"), accept("s")
    assert partition_of(first.id) == partition_of(second.id)
    assert store.claim(second.id, worker="w", model="m") is None, "it is not the head"
    claim = store.claim(first.id, worker="w", model="m")
    assert claim
    store.commit(claim, answer_to(claim), tail="")
    following = store.claim(second.id, worker="w", model="m")
    assert following
    assert len(following.messages) == 2


def test_one_call_renews_the_leases_of_all_partitions(store: PartitionedTurnStore, claims: list[Claim]) -> None:
    assert store.renew(claims) == []
    for claim in claims[::2]:
        store.release(claim.turn_id, token=claim.token)
    assert {token for token, outcome in store.renew(claims) if outcome is Reply.LOST} == {
        claim.token for claim in claims[::2]
    }


def test_one_call_emits_to_all_partitions(store: PartitionedTurnStore, claims: list[Claim]) -> None:
    pieces = [claim.delta(1, f"to {claim.turn_id}") for claim in claims]
    assert store.emit(pieces) == store.emit(pieces) == []
    for claim in claims:
        assert store.emitted_text(claim).count("to ") <= 1
        assert [event.text for event in store.read_events(claim.turn_id, after="0-0")].count(f"to {claim.turn_id}") == 1
    lost = [Delta(claim.turn_id, "another token", "1-9", "x") for claim in claims]
    assert len(store.emit(lost)) == SESSIONS


def test_every_end_is_reached_in_any_partition(
    store: PartitionedTurnStore, turns: list[Turn], claims: list[Claim]
) -> None:
    for n, claim in enumerate(claims):
        if n % 4 == 0:
            store.interrupt(claim, answer_to(claim), tail="")
        elif n % 4 == 1:
            store.fail(claim, Code.WORKER_ERROR)
        elif n % 4 == 2:
            store.retry(claim, Code.PROVIDER_UNREACHABLE, Retry(after_seconds=0, counts=True), model="m")
        else:
            store.cancel(claim.turn_id)
    ends = [Status.INCOMPLETE, Status.FAILED, Status.QUEUED, Status.CANCELLED]
    assert [status(store, turn) for turn in turns] == [ends[n % 4] for n in range(SESSIONS)]
    with pytest.raises(LeaseLost):
        store.commit(claims[0], answer_to(claims[0]), tail="")


def test_expired_leases_are_rescued_in_all_partitions(
    store: PartitionedTurnStore, client: Client, turns: list[Turn], claims: list[Claim]
) -> None:
    make_due(client)
    rescued = dict(store.rescue(worker="", hint=""))
    assert rescued == {turn.id: Reply.RESCUED for turn in turns}
    assert all(store.claim(turn.id, worker="w2", model="m") for turn in turns)


def test_a_worker_is_known_in_all_partitions_until_it_leaves(store: PartitionedTurnStore, client: Client) -> None:
    store.rescue(worker="host:1:a", hint="hint", slots=200)
    assert [one.zcard(keys.WORKERS.name) for one in client.partitions] == [1] * 24
    slots = [one.hget(keys.WORKER_SLOTS.name, "host:1:a") for one in client.partitions]
    assert slots == [b"200", *[None] * 23], "other partitions must not share what the workers can do"
    assert store.read_health().live_workers == 1
    store.remove_worker("host:1:a")
    assert [one.zcard(keys.WORKERS.name) for one in client.partitions] == [0] * 24


def test_many_workers_share_the_checks_of_partitions(
    store: PartitionedTurnStore, client: Client, turns: list[Turn], claims: list[Claim]
) -> None:
    send_heartbeats(client, *(f"host:{number}:a" for number in range(MIN_CHECKS * MAX_ROUNDS)))
    assert store.rescue(worker="", hint="") == []  # nothing is due
    make_due(client)
    first = {turn_id for turn_id, _ in store.rescue(worker="", hint="")}
    assert 0 < len(first) < SESSIONS
    rest = [turn_id for _ in range(MAX_ROUNDS - 1) for turn_id, _ in store.rescue(worker="", hint="")]
    assert {*first, *rest} == {turn.id for turn in turns}


def test_a_dead_worker_loses_its_turns_in_all_partitions(
    store: PartitionedTurnStore, turns: list[Turn], claims: list[Claim]
) -> None:
    assert {turn_id for turn_id, _ in store.rescue_worker("w")} == {turn.id for turn in turns}
    assert store.rescue_worker("w") == []


@pytest.mark.parametrize("user_id", [None, "alice"])
def test_a_list_has_the_turns_of_all_partitions(
    store: PartitionedTurnStore, turns: list[Turn], user_id: str | None
) -> None:
    found: list[str] = []
    after = None
    while True:
        page = store.list_turns(user_id=user_id, after=after, limit=7)
        found += [turn.id for turn in page.turns]
        after = page.after
        if after is None:
            break
        assert len(page.turns) == 7
    ordered = sorted(turns, key=lambda turn: (turn.accepted_at, turn.id), reverse=True)
    assert found == [turn.id for turn in ordered]


def test_a_list_by_status_has_the_turns_of_all_partitions(
    store: PartitionedTurnStore, turns: list[Turn], claims: list[Claim]
) -> None:
    store.cancel(turns[3].id)
    assert [turn.id for turn in store.list_turns(status=Status.CANCELLED, limit=5).turns] == [turns[3].id]


def test_the_list_of_a_session_is_read_in_its_partition(store: PartitionedTurnStore, accept: Accept) -> None:
    ids = [accept("s").id for _ in range(3)]
    page = store.list_turns(session="s", limit=2)
    assert [turn.id for turn in page.turns] == [ids[2], ids[1]]
    assert [turn.id for turn in store.list_turns(session="s", after=page.after, limit=2).turns] == [ids[0]]


def test_a_repeated_request_is_found_in_its_session(store: PartitionedTurnStore) -> None:
    request = TurnRequest(session_id="s", input="hello", idempotency_key="key")
    first = store.accept(request)
    assert store.accept(request).replayed
    assert store.accept(request).turn.id == first.turn.id


@pytest.mark.parametrize("turn_id", ["nonsense", new_turn_id(), new_turn_id(partition=23), new_turn_id(partition=99)])
def test_a_turn_that_does_not_exist_is_not_found(store: PartitionedTurnStore, turn_id: str) -> None:
    with pytest.raises(TurnNotFound):
        store.get_turn(turn_id)
    assert store.claim(turn_id, worker="w") is None


def test_all_sessions_of_a_tenant_can_share_a_partition(
    client: Client, settings: Settings, cluster: ClusterNodes
) -> None:
    by_tenant = settings.model_copy(update={"placement": Placement.TENANT, "tenant_backlog": 5})
    store = PartitionedTurnStore(client, by_tenant)
    turns = [store.accept(TurnRequest(session_id=f"s-{n}", input="x", tenant="acme")).turn for n in range(5)]
    assert len({partition_of(turn.id) for turn in turns}) == 1
    assert len(store.list_turns(tenant="acme", limit=9).turns) == 5
