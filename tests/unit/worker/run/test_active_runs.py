"""Test when a run is stopped and for what reason, and which leases are renewed."""

import pytest

from tests.unit.worker.run.stand_ins import FakeClock, FakeStore, make_claim
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import LeaseLost, ModelError, ModelErrorKind, StoreUnavailable
from worker.run.active_runs import COMMIT_PATIENCE_SECONDS, ActiveRun, ActiveRuns, Draining, Superseded
from worker.run.interrupt import Interrupt, Interrupted

SETTINGS = Settings(total_seconds=100)


class Interrupts:
    """An interrupter that counts how often each run was interrupted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, is_running: object) -> Interrupt:
        def interrupt() -> None:
            self.count += 1

        return interrupt


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def interrupts() -> Interrupts:
    return Interrupts()


@pytest.fixture
def runs(store: FakeStore, interrupts: Interrupts, clock: FakeClock) -> ActiveRuns:
    return ActiveRuns(store, interrupts, clock=clock)  # type: ignore[arg-type]  # a stand-in


def stop_reason(run: ActiveRun) -> ModelError:
    assert isinstance(run.stop_reason, ModelError)
    return run.stop_reason


def test_a_run_inside_its_deadlines_goes_on(runs: ActiveRuns, clock: FakeClock) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        run.expect_text(within_seconds=10, lateness=ModelErrorKind.RETRYABLE)
        clock.now += 10
        runs.stop_late_runs()
        run.check()
        assert run.stop_reason is None


@pytest.mark.parametrize("lateness", [ModelErrorKind.HOPELESS, ModelErrorKind.RETRYABLE])
def test_a_silent_model_is_stopped_with_the_given_kind(
    runs: ActiveRuns, clock: FakeClock, lateness: ModelErrorKind
) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        run.expect_text(within_seconds=10, lateness=lateness)
        clock.now += 10.1
        runs.stop_late_runs()
        assert stop_reason(run).kind is lateness
        assert "silent" in str(run.stop_reason)
        with pytest.raises(Interrupted):
            run.check()


def test_each_text_extends_the_deadline(runs: ActiveRuns, clock: FakeClock) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        for _ in range(5):
            run.expect_text(within_seconds=10, lateness=ModelErrorKind.RETRYABLE)
            clock.now += 9
            runs.stop_late_runs()
        assert run.stop_reason is None


def test_a_run_is_quiet_only_after_its_first_text(runs: ActiveRuns, clock: FakeClock) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        for text in ("", "a", "b", ""):
            run.expect_text(within_seconds=10, lateness=ModelErrorKind.RETRYABLE, has_text=bool(text))
            clock.now += 2
        assert runs.find_quiet_seconds() == [(run.claim, 4)]
        run.mark_finished()
        assert run.quiet_seconds == 0


def test_the_total_time_ends_a_run_that_still_yields_text(runs: ActiveRuns, clock: FakeClock) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        clock.now += 100.1
        run.expect_text(within_seconds=10, lateness=ModelErrorKind.RETRYABLE)
        runs.stop_late_runs()
        assert stop_reason(run).kind is ModelErrorKind.HOPELESS
        assert "too long" in str(run.stop_reason)


def test_only_the_late_run_is_stopped(runs: ActiveRuns, clock: FakeClock) -> None:
    with runs.hold(make_claim(), SETTINGS) as late, runs.hold(make_claim(), SETTINGS) as other:
        late.expect_text(within_seconds=1, lateness=ModelErrorKind.RETRYABLE)
        other.expect_text(within_seconds=10, lateness=ModelErrorKind.RETRYABLE)
        clock.now += 5
        runs.stop_late_runs()
        assert late.stop_reason is not None
        assert other.stop_reason is None


def test_the_first_reason_wins(runs: ActiveRuns, interrupts: Interrupts) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        run.stop(Superseded())
        run.stop(Draining())
        assert isinstance(run.stop_reason, Superseded)
        assert interrupts.count == 1


def test_a_finished_run_is_not_interrupted(runs: ActiveRuns, interrupts: Interrupts) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        run.mark_finished()
        run.stop(LeaseLost())
        assert (run.stop_reason, interrupts.count) == (None, 0)
        run.check()


def test_the_interrupter_sees_whether_the_run_still_runs(store: FakeStore, clock: FakeClock) -> None:
    seen = []
    runs = ActiveRuns(store, lambda is_running: lambda: seen.append(is_running()), clock=clock)  # type: ignore[arg-type]  # a stand-in
    with runs.hold(make_claim(), SETTINGS) as run:
        run.stop(LeaseLost())
    assert seen == [True]


def test_renewal_stops_lost_and_superseded_runs(runs: ActiveRuns, store: FakeStore) -> None:
    lost, superseded, kept = make_claim(), make_claim(), make_claim()
    store.replies["renew"] = [[(lost.token, Reply.LOST), (superseded.token, Reply.SUPERSEDED)]]
    with (
        runs.hold(lost, SETTINGS) as first,
        runs.hold(superseded, SETTINGS) as second,
        runs.hold(kept, SETTINGS) as third,
    ):
        runs.renew()
        assert store.calls == [("renew", (lost.turn_id, superseded.turn_id, kept.turn_id))]
        assert isinstance(first.stop_reason, LeaseLost)
        assert isinstance(second.stop_reason, Superseded)
        assert third.stop_reason is None


def test_an_unknown_token_stops_no_run(runs: ActiveRuns) -> None:
    with runs.hold(make_claim(), SETTINGS) as run:
        runs.stop_runs([("token of an ended run", Reply.LOST)])
        assert run.stop_reason is None


def test_an_unavailable_store_stops_no_run(runs: ActiveRuns, store: FakeStore) -> None:
    store.errors["renew"] = [StoreUnavailable()]
    with runs.hold(make_claim(), SETTINGS) as run:
        with pytest.raises(StoreUnavailable):
            runs.renew()
        assert run.stop_reason is None


def test_the_lease_of_a_run_that_hangs_is_not_kept_for_ever(runs: ActiveRuns, clock: FakeClock) -> None:
    claim = make_claim()
    with runs.hold(claim, SETTINGS):
        clock.now += 100 + COMMIT_PATIENCE_SECONDS - 0.1
        assert runs.claims() == [claim], "it may still commit"
        clock.now += 0.1
        assert runs.claims() == []


def test_the_lease_is_kept_until_the_context_ends(runs: ActiveRuns) -> None:
    claim = make_claim()
    with runs.hold(claim, SETTINGS) as run:
        run.mark_finished()
        assert runs.claims() == [claim], "the commit needs the lease"
    assert runs.claims() == []


def test_two_claims_of_one_turn_are_held_side_by_side(runs: ActiveRuns) -> None:
    old, new = make_claim(turn_id="turn_x"), make_claim(turn_id="turn_x", number=2)
    with runs.hold(old, SETTINGS) as first:
        with runs.hold(new, SETTINGS) as second:
            runs.stop_runs([(old.token, Reply.LOST)])
            assert first.stop_reason is not None
            assert second.stop_reason is None
        assert runs.claims() == [old]


def test_a_stopped_turn_is_renewed_only_if_it_runs_here(runs: ActiveRuns, store: FakeStore) -> None:
    claim = make_claim()
    store.replies["renew"] = [[(claim.token, Reply.LOST)]]
    with runs.hold(claim, SETTINGS) as run:
        runs.stop_turn("turn_elsewhere")
        assert store.calls == []
        runs.stop_turn(claim.turn_id)
        assert isinstance(run.stop_reason, LeaseLost)


def test_at_the_end_of_the_grace_period_all_runs_are_stopped(runs: ActiveRuns) -> None:
    with runs.hold(make_claim(), SETTINGS) as first, runs.hold(make_claim(), SETTINGS) as second:
        runs.release_all()
        assert [type(run.stop_reason) for run in (first, second)] == [Draining, Draining]
