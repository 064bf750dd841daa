"""The sums of usage in a real store: what each end of a run adds, once, and what a report makes of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import InvalidRequest, LeaseLost
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.run.spending import Spending, Usage
from turns.domain.turn import Turn
from turns.domain.turn_request import OnBusy
from turns.store.turns import TurnStore
from turns.usage import store as usage_store
from turns.usage.report import Dimension, UsageQuery, UsageReport, UsageRow
from turns.usage.store import UsageStore

USAGE = Usage(input_tokens=100, output_tokens=20, total_tokens=120, cached_tokens=60, reasoning_tokens=5)
SPENT = Spending(usage=USAGE, cost_nano=1_500_000, currency="USD")


class Reports:
    """Reports of today, read from the store."""

    def __init__(self, store: UsageStore, server: Server) -> None:
        self.store = store
        self.today = datetime.fromtimestamp(server.raw.time()[0], UTC).date()

    def read(self, *by: Dimension, **filters: Any) -> UsageReport:
        query = {"first_day": self.today, "last_day": self.today, **filters}
        return self.store.read(UsageQuery(by=by, **query))

    def read_one(self) -> UsageRow:
        [row] = self.read().rows
        return row


@pytest.fixture
def reports(client: Client, settings: Settings, server: Server) -> Reports:
    return Reports(UsageStore(client, settings), server)


@pytest.fixture
def complete(store: TurnStore, claim: Callable[[Turn], Claim]) -> Callable[..., None]:
    def complete(turn: Turn, spending: Spending = SPENT) -> None:
        claimed = claim(turn)
        store.commit(claimed, answer_to(claimed), tail="", spending=spending)

    return complete


def test_a_completed_turn_adds_its_tokens_and_cost(accept: Any, complete: Any, reports: Reports) -> None:
    complete(accept())
    assert reports.read_one() == UsageRow(
        completed=1,
        input_tokens=100,
        cached_tokens=60,
        output_tokens=20,
        reasoning_tokens=5,
        costs={"USD": 1_500_000},
    )


def test_a_repeated_commit_adds_nothing(accept: Any, claim: Any, store: TurnStore, reports: Reports) -> None:
    claimed = claim(accept())
    for _ in range(3):
        store.commit(claimed, answer_to(claimed), tail="", spending=SPENT)
        assert reports.read_one().completed == 1
    assert reports.read_one().input_tokens == 100


def test_a_retried_run_adds_what_it_took(
    accept: Any, claim: Any, complete: Any, store: TurnStore, reports: Reports
) -> None:
    turn = accept()
    claimed = claim(turn)
    for _ in range(2):
        store.retry(claimed, Code.INCOMPLETE_ANSWER, Retry(after_seconds=0), model="m", spending=SPENT)
    complete(turn)
    row = reports.read_one()
    assert (row.turns, row.repeated_runs, row.input_tokens, row.costs) == (1, 1, 200, {"USD": 3_000_000})


def test_a_failed_turn_adds_what_its_last_run_took(accept: Any, claim: Any, store: TurnStore, reports: Reports) -> None:
    claimed = claim(accept())
    for _ in range(2):
        store.fail(claimed, Code.CONTENT_FILTERED, spending=SPENT)
    row = reports.read_one()
    assert (row.failed, row.turns, row.output_tokens, row.unreported_calls) == (1, 1, 20, 0)


def test_an_interrupted_run_adds_what_it_took(accept: Any, claim: Any, store: TurnStore, reports: Reports) -> None:
    claimed = claim(accept())
    accept(on_busy=OnBusy.INTERRUPT)
    store.interrupt(claimed, answer_to(claimed), tail="", spending=Spending(unreported_calls=1))
    row = reports.read_one()
    assert (row.incomplete, row.unreported_calls, row.input_tokens) == (1, 1, 0)


def test_a_released_run_adds_what_it_took(accept: Any, claim: Any, store: TurnStore, reports: Reports) -> None:
    claimed = claim(accept())
    for _ in range(2):
        store.release(claimed.turn_id, token=claimed.token, spending=SPENT)
    row = reports.read_one()
    assert (row.turns, row.repeated_runs, row.input_tokens) == (0, 1, 100)


def test_a_lost_worker_leaves_one_unreported_call(accept: Any, lose: Any, reports: Reports) -> None:
    lose(accept())
    row = reports.read_one()
    assert (row.turns, row.repeated_runs, row.unreported_calls) == (0, 1, 1)


def test_a_cancelled_run_leaves_one_unreported_call(
    accept: Any, claim: Any, store: TurnStore, reports: Reports
) -> None:
    claimed = claim(accept())
    for _ in range(2):
        store.cancel(claimed.turn_id)
    with pytest.raises(LeaseLost):
        store.commit(claimed, answer_to(claimed), tail="", spending=SPENT)
    row = reports.read_one()
    assert (row.cancelled, row.unreported_calls, row.input_tokens) == (1, 1, 0)


def test_a_turn_cancelled_in_the_queue_costs_nothing(accept: Any, store: TurnStore, reports: Reports) -> None:
    store.cancel(accept().id)
    [row] = reports.read(Dimension.MODEL).rows
    assert (row.cancelled, row.unreported_calls, row.model) == (1, 0, None)


def test_usage_is_grouped_by_each_property(accept: Any, complete: Any, reports: Reports) -> None:
    for user, session in (("alice", "1"), ("alice", "2"), ("bob/ü|", "3"), (None, "4")):
        complete(accept(session_id=session, user_id=user))
    complete(accept(session_id="5", user_id="alice", tenant="acme"))
    found = {(row.tenant, row.user_id): row.turns for row in reports.read(Dimension.TENANT, Dimension.USER).rows}
    assert found == {("-", "alice"): 2, ("-", "bob/ü|"): 1, ("-", None): 1, ("acme", "alice"): 1}
    assert [row.day for row in reports.read(Dimension.DAY).rows] == [reports.today]
    [row] = reports.read(Dimension.ASSISTANT, Dimension.MODEL).rows
    assert (row.assistant, row.model, row.turns) == ("default", "m", 5)


@pytest.mark.parametrize(
    ("filters", "turns"),
    [
        ({"tenant": "acme"}, 1),
        ({"user_id": "alice"}, 2),
        ({"tenant": "-", "user_id": "alice"}, 1),
        ({"user_id": "nemo"}, 0),
        ({"assistant": "default"}, 2),
        ({"assistant": "other"}, 0),
        ({"model": "m"}, 2),
        ({"model": "other"}, 0),
    ],
)
def test_usage_is_filtered(accept: Any, complete: Any, reports: Reports, filters: dict[str, Any], turns: int) -> None:
    complete(accept(user_id="alice"))
    complete(accept(user_id="alice", tenant="acme"))
    assert reports.read(**filters).total.turns == turns


def test_a_tenant_does_not_pay_for_the_rows_of_others(
    accept: Any, complete: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in ("small", "b", "c"):
        complete(accept(tenant=tenant))
    monkeypatch.setattr(usage_store, "MAX_READ_ROWS", 1)
    [row] = reports.read(Dimension.MODEL, tenant="small").rows
    assert (row.model, row.turns, row.is_rest) == ("m", 1, False)
    with pytest.raises(InvalidRequest, match="since: has more than 1 rows to read"):
        reports.read(Dimension.TENANT)


def test_a_tenant_does_not_pay_for_each_of_its_users(
    accept: Any, complete: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in ("x", "y", "z"):
        complete(accept(tenant="large", user_id=user))
    monkeypatch.setattr(usage_store, "MAX_READ_ROWS", 1)
    assert reports.read(tenant="large").total.turns == 3


def test_users_are_read_only_from_tenants_of_each_day(
    accept: Any, complete: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in ("a", "b"):
        complete(accept(tenant=tenant, user_id="u"))
    year = {"first_day": reports.today - timedelta(days=365)}
    monkeypatch.setattr(usage_store, "MAX_READ_HASHES", 2)
    assert reports.read(Dimension.USER, **year).total.turns == 2
    complete(accept(tenant="c", user_id="u"))
    with pytest.raises(InvalidRequest, match="since: has more than 2 pairs of a day and a tenant"):
        reports.read(Dimension.USER, **year)


def test_reports_are_built_where_the_caller_decides(
    accept: Any, complete: Any, client: Client, settings: Settings, reports: Reports
) -> None:
    complete(accept(user_id="alice"))
    results: list[object] = []

    def offload(work: Callable[[], object]) -> object:
        results.append(work())
        return results[-1]

    reports.store = UsageStore(client, settings, offload)
    assert reports.read(Dimension.USER) is results[-1]
    assert len(results) == 2  # the tenants of the days, and the report


def test_tokens_without_a_price_are_told_apart(accept: Any, complete: Any, reports: Reports) -> None:
    complete(accept())
    complete(accept(), replace(SPENT, cost_nano=0, currency=""))
    row = reports.read_one()
    assert (row.costs, row.unpriced_tokens, row.turns) == ({"USD": 1_500_000}, 120, 2)


def test_large_sums_stay_exact(accept: Any, complete: Any, reports: Reports) -> None:
    large = replace(SPENT, cost_nano=2 * 10**15 + 1)
    for _ in range(3):
        complete(accept(), large)
        assert reports.read_one().costs
    assert reports.read_one().costs == {"USD": 6 * 10**15 + 3}


def test_entries_are_folded_in_small_steps(
    accept: Any, complete: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_store, "FOLD_LIMIT", 2)
    for n in range(5):
        complete(accept(user_id=f"u{n}"))
    assert reports.read(Dimension.USER).total.turns == 5


def test_sums_expire_after_the_days_of_the_setting(
    accept: Any, complete: Any, reports: Reports, server: Server, settings: Settings
) -> None:
    complete(accept())
    reports.read()
    end = datetime(reports.today.year, reports.today.month, reports.today.day, tzinfo=UTC) + timedelta(
        days=1 + settings.usage_days
    )
    names = [*server.raw.scan_iter(keys.USAGE("*")), *server.raw.scan_iter(keys.USER_USAGE("*"))]
    assert [server.raw.expiretime(name) for name in names] == [end.timestamp()] * 2


def test_users_beyond_the_limit_share_one_row(accept: Any, complete: Any, reports: Reports, server: Server) -> None:
    complete(accept(user_id="first"))
    reports.read()
    [name] = server.raw.scan_iter(keys.USER_USAGE("*"))
    server.raw.hset(name, mapping={f"u{n}|default||m": "1|0|0|0|0|0|0|0|0|0|0" for n in range(9_999)})
    for user in ("first", "x", "y"):
        complete(accept(user_id=user))
    rest, first, *_ = reports.read(Dimension.USER).rows
    assert (first.user_id, first.turns) == ("first", 2)
    assert (rest.user_id, rest.is_rest, rest.turns, rest.costs) == (None, True, 2, {"USD": 3_000_000})
    assert server.raw.hlen(name) == 10_001


def test_foreign_entries_and_keys_do_no_harm(accept: Any, complete: Any, reports: Reports, server: Server) -> None:
    server.raw.rpush(keys.USAGE_ENTRIES.name, "not ours", "1|2")
    complete(accept())
    day = (reports.today - usage_store.EPOCH).days
    server.raw.set(keys.USAGE(str(day)), "not ours")
    assert reports.read_one().turns == 1
    server.raw.set(keys.USAGE_ENTRIES.name, "not ours")
    complete(accept())  # the turn ends, and its usage is not recorded
    server.raw.delete(keys.USAGE_ENTRIES.name)
    assert reports.read_one().turns == 1
