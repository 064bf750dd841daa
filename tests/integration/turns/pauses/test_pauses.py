"""Tests of pauses: the turns of a paused part wait in order, and start gradually when it is resumed."""

import json
from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to, send_heartbeat
from tests.support.leaks import leaked_keys
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.domain.assistant import DEFAULT, Assistant, Lane
from turns.domain.error_codes import Code
from turns.domain.errors import IntakePaused, InvalidRequest
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.state import Status
from turns.domain.turn import WaitingFor
from turns.domain.turn_request import TurnRequest
from turns.pauses.part import INTAKE, WORKERS, PauseKind, ServicePart
from turns.pauses.pauses import Pauses, read_pauses
from turns.store.turns import TurnStore

OWN_PROVIDER = Assistant(name="own", model="n", base_url="https://user:secret@models.example:8443/v1", lane=Lane.BATCH)
REQUESTS = {"tenant": "acme", "assistant": OWN_PROVIDER}
PARTS = ("workers", "tenant/acme", "lane/batch", "assistant/own", "provider/models.example:8443", "model/n")
TENANT = ServicePart(kind=PauseKind.TENANT, name="acme")
MODEL = ServicePart(kind=PauseKind.MODEL, name="m")


class Paused:
    """A store, its pauses, and the hints that its scripts send."""

    def __init__(self, store: TurnStore, pauses: Pauses, server: Server, hints: Callable[[], list[str]]) -> None:
        self.store, self.pauses, self.server, self.hints = store, pauses, server, hints
        self._count = 0

    def ask(self, **request: object) -> str:
        self._count += 1
        request = {"session_id": f"s{self._count}", **request}
        return self.store.accept(TurnRequest(input="x", **request)).turn.id  # type: ignore[arg-type]  # any field

    def try_claim(self, turn_id: str, *, fallback_model: str = "") -> Claim | None:
        return self.store.claim(turn_id, worker="w", model="m", fallback_model=fallback_model)

    def claim(self, turn_id: str) -> Claim:
        claim = self.try_claim(turn_id)
        assert claim is not None
        return claim

    def commit(self, claim: Claim) -> None:
        self.store.commit(claim, answer_to(claim), tail="")

    def paused_turns(self, count: int, part: ServicePart = WORKERS, **request: object) -> list[str]:
        """Pause the part and let turns wait for it; return them in order."""
        self.pauses.pause(part)
        turns = [self.ask(**request) for _ in range(count)]
        assert [self.try_claim(turn) for turn in turns] == [None] * count
        self.hints()
        return turns

    def check(self) -> list[str]:
        """Let the time of the next check of all pauses pass, and return the hints that are sent then."""
        parts = self.server.raw.zrange(keys.PAUSES.name, 0, -1)
        if parts:
            self.server.raw.zadd(keys.PAUSES.name, dict.fromkeys(parts, 1))
        self.store.rescue(worker="", hint="")
        return self.hints()

    def end_on_time(self, part: ServicePart) -> None:
        """Let the time of the pause pass."""
        record = json.loads(self.server.raw.hget(keys.SERVICE.name, str(part)) or b"{}")
        self.server.raw.hset(keys.SERVICE.name, str(part), json.dumps({**record, "until_at": 1}))


@pytest.fixture
def paused(store: TurnStore, pauses: Pauses, server: Server, hints: Callable[[], list[str]]) -> Paused:
    return Paused(store, pauses, server, hints)


@pytest.mark.parametrize("part", PARTS)
def test_turns_of_a_paused_part_wait_and_others_start(paused: Paused, part: str) -> None:
    paused.pauses.pause(ServicePart.parse(*part.split("/")))
    turn = paused.ask(**REQUESTS)
    assert paused.try_claim(turn) is None
    assert paused.store.get_turn(turn, tenant="acme").waiting.waiting_for is WaitingFor.PAUSE  # type: ignore[union-attr]  # it is queued
    other = paused.try_claim(paused.ask())
    assert (other is None) == (part == "workers")
    assert paused.pauses.resume(ServicePart.parse(*part.split("/")))
    claim = paused.store.claim(turn, worker="w", model="m")
    assert claim is not None
    assert claim.provider


def test_a_pause_has_author_reason_and_end(paused: Paused) -> None:
    paused.pauses.pause(TENANT, by="key_1", reason="räumt auf", seconds=60)
    paused.paused_turns(2, TENANT, tenant="acme")
    paused.pauses.pause(TENANT, by="key_2", reason='räumt auf "jetzt"', seconds=600)
    [pause] = paused.pauses.read()
    assert (pause.part, pause.by, pause.reason, pause.waiting_turns) == (TENANT, "key_2", 'räumt auf "jetzt"', 2)
    assert 590_000 < (pause.until or 0) - pause.since < 700_000
    assert not pause.is_over


def test_a_paused_intake_refuses_only_new_turns(paused: Paused) -> None:
    turn = paused.ask(session_id="s", idempotency_key="k")
    paused.pauses.pause(INTAKE)
    with pytest.raises(IntakePaused):
        paused.ask()
    assert paused.ask(session_id="s", idempotency_key="k") == turn, "a repeated request is not refused"
    paused.commit(paused.claim(turn))
    paused.pauses.resume(INTAKE)
    assert paused.ask()


def test_running_turns_of_a_paused_part_continue(paused: Paused) -> None:
    claim = paused.claim(paused.ask())
    paused.pauses.pause(WORKERS)
    second = paused.ask(session_id=claim.session)
    paused.commit(claim)
    assert paused.try_claim(second) is None


def test_waiting_turns_start_oldest_first_after_a_pause(paused: Paused) -> None:
    turns = paused.paused_turns(35)
    assert paused.pauses.resume(WORKERS)
    started = paused.hints()
    assert started == turns[:10], "no herd"
    newcomer = paused.ask()
    assert paused.hints() == [newcomer]
    assert paused.try_claim(newcomer) is None, "no newcomer goes before the waiting turns"
    paused.claim(turns[9])
    started += paused.check()
    assert started == turns[:30]
    started += paused.check()
    assert started == [*turns, newcomer]
    assert paused.claim(newcomer)
    assert paused.pauses.read() == []


def test_newcomers_do_not_wait_for_a_slot_before_older_turns(
    store_with: Callable[..., TurnStore], pauses: Pauses, server: Server, hints: Callable[[], list[str]]
) -> None:
    paused = Paused(store_with(tenant_concurrency=1), pauses, server, hints)
    turns = paused.paused_turns(12, TENANT, tenant="acme")
    paused.pauses.resume(TENANT)
    newcomer = paused.ask(tenant="acme")
    paused.check()
    for turn in [*turns, newcomer]:
        paused.commit(paused.claim(turn))
        paused.hints()
    assert server.raw.zcard(keys.CROWDED.name) <= 1


def test_resuming_twice_starts_no_further_turns(paused: Paused) -> None:
    paused.paused_turns(12)
    assert paused.pauses.resume(WORKERS)
    assert len(paused.hints()) == 10
    assert not paused.pauses.resume(WORKERS)
    assert paused.hints() == []
    [pause] = paused.pauses.read()
    assert (pause.is_over, pause.waiting_turns) == (True, 2)


def test_a_part_can_be_paused_again_while_its_turns_start(paused: Paused) -> None:
    turns = paused.paused_turns(12)
    paused.pauses.resume(WORKERS)
    paused.hints()
    paused.pauses.pause(WORKERS)
    assert paused.try_claim(turns[0]) is None
    assert paused.check() == []
    paused.pauses.resume(WORKERS)
    assert paused.hints() == [turns[0], *turns[10:]]


def test_a_pause_ends_by_itself(paused: Paused) -> None:
    turns = paused.paused_turns(2)
    paused.pauses.pause(WORKERS, seconds=60)
    paused.end_on_time(WORKERS)
    newcomer = paused.ask()
    paused.hints()
    assert paused.try_claim(newcomer) is None
    assert paused.check() == [*turns, newcomer]
    assert paused.server.raw.hexists(keys.SERVICE.name, "workers") is False


def test_a_pause_of_the_intake_ends_by_itself(paused: Paused) -> None:
    paused.pauses.pause(INTAKE, seconds=60)
    with pytest.raises(IntakePaused):
        paused.ask()
    paused.end_on_time(INTAKE)
    assert paused.ask()
    assert paused.pauses.read() == []
    paused.check()
    assert paused.server.raw.exists(keys.PAUSES.name) == 0


def test_a_paused_turn_still_expires(paused: Paused) -> None:
    late, other = paused.paused_turns(2, start_within_seconds=60)
    paused.server.raw.zadd(keys.START_BY.name, {late: 1}, xx=True)
    paused.check()
    assert paused.store.get_turn(late).status_reason == "expired"
    paused.pauses.resume(WORKERS)
    assert paused.hints() == [other]


def test_a_paused_turn_can_be_cancelled(paused: Paused) -> None:
    [turn] = paused.paused_turns(1)
    paused.store.cancel(turn)
    [pause] = paused.pauses.read()
    assert pause.waiting_turns == 0
    paused.pauses.resume(WORKERS)
    assert leaked_keys(paused.server.raw) == set()


def test_two_pauses_of_the_same_turns_end_one_after_another(paused: Paused) -> None:
    turns = paused.paused_turns(25, TENANT, tenant="acme")
    paused.pauses.pause(MODEL)
    paused.pauses.resume(TENANT)
    assert [paused.try_claim(turn) for turn in paused.hints()] == [None] * 10
    paused.pauses.resume(MODEL)
    started = []
    for _ in range(4):
        started += [turn for turn in paused.hints() + paused.check() if paused.try_claim(turn)]
    assert started == turns


def test_turns_of_a_paused_model_use_a_free_fallback(paused: Paused) -> None:
    paused.pauses.pause(MODEL)
    claim = paused.try_claim(paused.ask(), fallback_model="f")
    assert claim is not None
    assert claim.model == "f"
    paused.pauses.pause(ServicePart(kind=PauseKind.MODEL, name="f"))
    assert paused.try_claim(paused.ask(), fallback_model="f") is None


def test_a_model_on_hold_does_not_fall_back_to_a_paused_one(paused: Paused) -> None:
    outage = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.OUTAGE))
    paused.store.retry(paused.claim(paused.ask()), Code.PROVIDER_ERROR, outage, model="m")
    paused.pauses.pause(ServicePart(kind=PauseKind.MODEL, name="f"))
    turn = paused.ask()
    assert paused.try_claim(turn, fallback_model="f") is None
    assert paused.server.raw.zscore(keys.HELD("m"), turn) is not None


@pytest.mark.parametrize("part", [WORKERS, MODEL])
def test_turns_do_not_fail_with_their_model_during_a_pause(paused: Paused, part: ServicePart) -> None:
    """An operator who pauses a model that does not answer keeps its turns from failing."""
    outage = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.OUTAGE))
    turn = paused.ask()
    paused.store.retry(paused.claim(turn), Code.PROVIDER_ERROR, outage, model="m")
    paused.pauses.pause(part)
    paused.server.raw.zadd(keys.HELD("m"), {turn: 1})
    paused.server.raw.zadd(keys.HOLDS.name, {"m": 1})
    paused.check()
    assert paused.store.get_turn(turn).status is Status.QUEUED
    assert [pause.waiting_turns for pause in paused.pauses.read()] == [1]


def test_a_paused_probe_lets_another_turn_probe(paused: Paused) -> None:
    outage = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.OUTAGE))
    turns = [paused.ask(tenant="acme"), paused.ask()]
    paused.store.retry(paused.claim(turns[0]), Code.PROVIDER_ERROR, outage, model="m")
    assert paused.try_claim(turns[1]) is None
    paused.hints()
    probes = []
    paused.pauses.pause(TENANT)
    for _ in turns:
        paused.server.raw.hset(keys.HOLD("m"), "until", 1)
        paused.server.raw.zadd(keys.HOLDS.name, {"m": 1})
        probes += [claim.turn_id for turn in paused.check() if (claim := paused.try_claim(turn))]
    assert probes == [turns[1]]


def test_a_lost_list_of_paused_turns_is_restored(paused: Paused) -> None:
    turns = paused.paused_turns(3)
    paused.server.raw.delete(keys.PAUSED("workers"), keys.PAUSES.name)
    paused.server.raw.zadd(keys.DUE.name, dict.fromkeys(turns, 1))
    send_heartbeat(paused.server)
    assert paused.check() == [], "they are not dispatched in vain"
    paused.pauses.resume(WORKERS)
    assert paused.hints() == turns


def test_paused_turns_go_on_in_order_if_the_pause_is_lost(paused: Paused) -> None:
    turns = paused.paused_turns(12)
    paused.server.raw.hdel(keys.SERVICE.name, "workers")
    assert paused.check() == turns[:10]
    newcomer = paused.ask()
    paused.hints()
    assert paused.try_claim(newcomer) is None
    assert paused.check() == [*turns[10:], newcomer]


def test_a_pause_without_its_entry_in_the_index_is_repaired(paused: Paused) -> None:
    paused.pauses.pause(TENANT)
    paused.server.raw.delete(keys.PAUSES.name)
    paused.end_on_time(TENANT)
    assert (str(TENANT), Reply.RESTORED) in list(paused.store.repair(worker="w"))
    assert paused.check() == []
    assert paused.server.raw.hexists(keys.SERVICE.name, str(TENANT)) is False


def test_a_pause_of_an_earlier_release_is_in_force(paused: Paused) -> None:
    paused.server.raw.hset(keys.SERVICE.name, mapping={"workers": "1000", "intake": "2000"})
    assert [(str(pause.part), pause.since, pause.is_over) for pause in paused.pauses.read()] == [
        ("workers", 1000, False),
        ("intake", 2000, False),
    ]
    with pytest.raises(IntakePaused):
        paused.ask()
    paused.pauses.resume(INTAKE)
    assert paused.try_claim(paused.ask()) is None
    assert paused.pauses.resume(WORKERS)


def test_a_pause_that_cannot_be_read_is_in_force(paused: Paused, client: Client) -> None:
    paused.server.raw.hset(keys.SERVICE.name, "tenant/acme", "foreign")
    assert paused.try_claim(paused.ask(tenant="acme")) is None
    [pause] = read_pauses(client)
    assert (pause.part, pause.is_over, pause.waiting_turns) == (TENANT, False, 1)
    assert paused.pauses.resume(TENANT)


def test_the_number_of_pauses_is_limited(paused: Paused) -> None:
    for number in range(100):
        paused.pauses.pause(ServicePart(kind=PauseKind.TENANT, name=f"t{number}"))
    paused.pauses.pause(ServicePart(kind=PauseKind.TENANT, name="t0"), reason="known")
    with pytest.raises(InvalidRequest, match="too many"):
        paused.pauses.pause(WORKERS)
    assert len(paused.pauses.read()) == 100


def test_a_plain_turn_costs_one_command_for_all_pauses(paused: Paused) -> None:
    """The claim reads the fields of all parts in one command; the path of a turn must not get dearer."""
    turn = paused.ask(assistant=DEFAULT)
    before = paused.server.raw.info("commandstats")
    paused.claim(turn)
    after = paused.server.raw.info("commandstats")

    def calls(stats: dict[str, dict[str, int]], name: str) -> int:
        return stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]

    assert calls(after, "hmget") - calls(before, "hmget") == 2, "the fields of the service, and the hold of the model"
