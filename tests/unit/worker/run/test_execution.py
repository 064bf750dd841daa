"""Test how each end of a run becomes one write to the store."""

from types import SimpleNamespace
from typing import Any

import gevent
import httpx2
import openai
import pytest
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from tests.unit.worker.run.stand_ins import SCRIPTED, Step, make_claim
from tests.unit.worker.run.worker import Worker
from turns.assistants.prices import Prices
from turns.backend.script_replies import Reply
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, ModelError, ModelErrorKind, StoreUnavailable
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, RetryBudget
from turns.domain.run.spending import NO_TOKENS, Usage
from turns.file_history.offload import DiskUnavailable
from worker.langchain.chain_cache import ChainCache
from worker.run.active_runs import COMMIT_PATIENCE_SECONDS
from worker.run.interrupt import Interrupted
from worker.run.spending import spending_of

USAGE = Usage(input_tokens=1, output_tokens=2, total_tokens=3)
REQUEST = httpx2.Request("POST", "http://model.example/v1/chat/completions")
UNREACHABLE = openai.APIConnectionError(request=REQUEST)


def refused(status: int, *, code: str | None = None, retry_after: str | None = None) -> openai.APIStatusError:
    """Return the error for a response of the provider with this status."""
    response = httpx2.Response(status, request=REQUEST, headers={"retry-after": retry_after} if retry_after else {})
    kind = openai.RateLimitError if status == 429 else openai.APIStatusError
    return kind("refused", response=response, body={"code": code})


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_complete_answer_is_committed(worker: Worker) -> None:
    assert worker.run("Hello", " you") == [("commit", worker.claim.turn_id, "Hello you", "Hello you")]


def test_the_end_of_a_run_is_logged_with_what_it_took(worker: Worker) -> None:
    with capture_logs() as logs:
        worker.run(worker.wait(1.5), "Hello", waited_ms=250, model="m")
        worker.run(worker.wait(2), RuntimeError("a bug"), model="m")
    events = {event["event"]: event for event in logs}
    expected = {"model": "m", "wait_seconds": 0.25, "duration_seconds": 1.5, "input_tokens": 0, "output_tokens": 0}
    assert expected.items() <= events["turn.committed"].items()
    assert {"model": "m", "duration_seconds": 2}.items() <= events["turn.failed"].items()


def test_a_failure_of_the_worker_may_have_cost_something(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.emitter, "flush_and_close", lambda _: 1 / 0)
    worker.run("Hello")
    assert [spending.unreported_calls for spending in worker.store.spendings] == [1]


def test_text_that_was_sent_is_not_in_the_tail(worker: Worker) -> None:
    calls = worker.run("Hello", worker.emitter.flush, " you")
    assert calls == [("emit", (("1-5", "Hello"),)), ("commit", worker.claim.turn_id, "Hello you", " you")]


def test_a_delta_in_flight_is_in_the_stream_before_the_commit(worker: Worker) -> None:
    worker.store.errors["emit"] = [StoreUnavailable()]
    calls = worker.run("Hello", worker.emitter.flush, " you")
    assert [call[0] for call in calls] == ["emit", "emit", "commit"]
    assert calls[-1][-1] == " you"


def test_the_default_assistant_runs_with_the_offline_model(worker: Worker) -> None:
    [(verb, _, output, _)] = worker.run(assistant=make_claim().assistant)
    assert verb == "commit"
    assert "offline model" in output


def test_the_claim_names_the_models_of_the_settings() -> None:
    worker = Worker(openai_base_url="http://model.example/v1", model="first", fallback_model="second")
    worker.execution.run("turn_1")
    assert worker.store.calls == [("claim", "turn_1", "w", "first", "second")]


def test_without_a_claim_nothing_is_done(worker: Worker) -> None:
    worker.execution.run("turn_1")
    assert worker.store.verbs() == ["claim"]


def test_a_draining_worker_releases_instead_of_claiming(worker: Worker) -> None:
    worker.execution.drain()
    worker.execution.run("turn_1")
    assert worker.store.calls == [("release", "turn_1", "")]


@pytest.mark.parametrize("verb", ["claim", "release"])
def test_an_unavailable_store_is_logged_and_not_raised(worker: Worker, verb: str) -> None:
    worker.store.errors[verb] = [StoreUnavailable("connection refused")]
    if verb == "release":
        worker.execution.drain()
    with capture_logs() as logs:
        worker.execution.run("turn_1")
    assert [(log["event"], log["error"]) for log in logs] == [("store.unavailable", "connection refused")]


def test_a_passing_failure_of_the_provider_is_retried(worker: Worker) -> None:
    [(verb, _, code, decision, model)] = worker.run("Hel", UNREACHABLE)
    assert (verb, code, model) == ("retry", Code.PROVIDER_UNREACHABLE, "offline")
    assert decision.counts
    assert not decision.falls_back


def test_after_the_last_attempt_the_turn_fails(worker: Worker) -> None:
    calls = worker.run(UNREACHABLE, attempt=worker.settings.max_attempts)
    assert calls == [("fail", worker.claim.turn_id, Code.PROVIDER_UNREACHABLE)]


def test_a_hopeless_failure_is_not_retried(worker: Worker) -> None:
    assert worker.run(refused(400)) == [("fail", worker.claim.turn_id, Code.PROVIDER_REJECTED)]


def test_a_rate_limit_is_waited_out_and_costs_no_attempt(worker: Worker) -> None:
    [(verb, _, code, decision, _)] = worker.run(refused(429, retry_after="7"), attempt=worker.settings.max_attempts)
    assert (verb, code, decision.counts) == ("retry", Code.PROVIDER_RATE_LIMITED, False)
    assert decision.hold == Hold(reason=HoldReason.RATE_LIMITED, seconds=7)


def test_the_fallback_model_is_that_of_the_assistant() -> None:
    worker = Worker(openai_base_url="http://model.example/v1")
    assistant = Assistant(name="a", chain=SCRIPTED.chain, model="own", fallback_model="own-fallback")
    [(verb, _, _, decision, model)] = worker.run(UNREACHABLE, assistant=assistant, model="own")
    assert (verb, decision.falls_back, model) == ("retry", True, "own-fallback")
    [(_, _, _, decision, model)] = worker.run(UNREACHABLE, assistant=assistant, model="own-fallback")
    assert (decision.falls_back, model) == (False, "own-fallback"), "there is no other model behind it"


def test_the_retry_budget_turns_a_retry_into_a_failure() -> None:
    worker = Worker(breaker_failures=1000)
    verbs = [worker.run(UNREACHABLE, attempt=2)[-1][0] for _ in range(int(RetryBudget.RESERVE) + 1)]
    assert verbs == ["retry"] * int(RetryBudget.RESERVE) + ["fail"]


def test_an_outage_makes_turns_wait_instead_of_failing(worker: Worker) -> None:
    decisions = [worker.run(UNREACHABLE, attempt=2)[-1][3] for _ in range(6)]
    assert [decision.hold is not None for decision in decisions] == [False] * 4 + [True] * 2
    worker.run("Hello")
    assert worker.run(UNREACHABLE, attempt=2)[-1][3].hold is None, "an answer ends the outage"


@pytest.mark.parametrize(
    ("between", "is_over"),
    [(refused(400), True), (refused(401), True), (ValueError("a bug"), False), ("", False)],
)
def test_only_the_provider_itself_ends_an_outage(worker: Worker, between: Step, is_over: bool) -> None:
    for _ in range(4):
        worker.run(UNREACHABLE)
    worker.run(between)
    assert (worker.run(UNREACHABLE)[-1][3].hold is None) == is_over


def test_a_silent_model_fails_none_of_the_turns_that_it_has() -> None:
    worker = Worker(breaker_failures=2)
    with worker.runs.hold(make_claim(), worker.settings) as other:
        other.expect_text(within_seconds=30, lateness=ModelErrorKind.SILENT)
        [(verb, _, code, decision, _)] = worker.run(worker.wait(31))
    assert (verb, code, decision.counts) == ("retry", Code.PROVIDER_TIMEOUT, False)
    assert decision.hold == Hold(reason=HoldReason.OUTAGE)


def test_without_patience_an_outage_fails_turns() -> None:
    worker = Worker(breaker_failures=1, outage_patience_seconds=0)
    assert worker.run(UNREACHABLE, attempt=3)[-1][0] == "fail"


def test_a_failed_probe_costs_no_attempt(worker: Worker) -> None:
    [(_, _, _, probe, _)] = worker.run(UNREACHABLE, is_admitted=True, is_probe=True)
    [(_, _, _, admitted, _)] = worker.run(UNREACHABLE, is_admitted=True)
    assert (probe.counts, admitted.counts) == (False, True)


def test_the_first_text_of_an_admitted_turn_admits_others(worker: Worker) -> None:
    calls = worker.run("Hello", worker.emitter.flush, " you", worker.emitter.flush, is_admitted=True)
    assert [call[0] for call in calls] == ["emit", "reopen", "emit", "commit"]


def test_waiting_out_a_rate_limit_spends_no_retry_budget(worker: Worker) -> None:
    for _ in range(int(RetryBudget.RESERVE) + 1):
        worker.run(refused(429, retry_after="1"), attempt=2)
    assert worker.run(UNREACHABLE, attempt=2)[-1][0] == "retry"


def test_first_attempts_refill_the_retry_budget() -> None:
    worker = Worker(breaker_failures=1000)
    for _ in range(int(RetryBudget.RESERVE)):
        worker.run(UNREACHABLE, attempt=2)
    assert worker.run(UNREACHABLE, attempt=2)[-1][0] == "fail"
    for _ in range(round(1 / RetryBudget.SHARE) + 1):
        worker.run("Hello")
    assert worker.run(UNREACHABLE, attempt=2)[-1][0] == "retry"


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3), KeyboardInterrupt(), gevent.Timeout(1)])
def test_any_exception_of_a_chain_fails_its_turn(worker: Worker, error: BaseException) -> None:
    with capture_logs() as logs:
        assert worker.run("Hel", error) == [("fail", worker.claim.turn_id, Code.CHAIN_ERROR)]
    assert any(log.get("exc_info") for log in logs), "the traceback is in the log"


def test_a_factory_that_is_missing_fails_its_turn(worker: Worker) -> None:
    assistant = Assistant(name="a", chain="tests.unit.worker.run.stand_ins:no_such_factory")
    assert worker.run(assistant=assistant) == [("fail", worker.claim.turn_id, Code.CHAIN_ERROR)]


def test_a_chain_without_text_fails_its_turn(worker: Worker) -> None:
    assert worker.run("") == [("fail", worker.claim.turn_id, Code.CHAIN_ERROR)]


def test_an_answer_that_is_too_large_fails_its_turn() -> None:
    worker = Worker(max_answer_bytes=10)
    assert worker.run("12345", "67890")[0][0] == "commit"
    assert worker.run("12345", "6789é") == [("fail", worker.claim.turn_id, Code.ANSWER_TOO_LARGE)]


def test_a_killed_greenlet_writes_nothing(worker: Worker) -> None:
    with pytest.raises(gevent.GreenletExit):
        worker.run("Hel", gevent.GreenletExit())
    assert worker.store.verbs() == ["claim"]
    assert worker.runs.claims() == [], "its lease is not renewed any more"


def test_a_lost_lease_stops_the_run_and_writes_nothing(worker: Worker) -> None:
    with capture_logs() as logs:
        assert worker.run("Hel", worker.stop(Reply.LOST), "lo") == []
    assert logs[-1]["event"] == "lease.lost"


def test_a_superseded_run_keeps_its_text(worker: Worker) -> None:
    calls = worker.run("Hel", worker.emitter.flush, "lo", worker.stop(Reply.SUPERSEDED), " you")
    assert calls == [("emit", (("1-3", "Hel"),)), ("interrupt", worker.claim.turn_id, "Hello", "lo")]


def test_a_superseded_claim_keeps_the_text_of_the_run_before(worker: Worker) -> None:
    worker.store.replies["emitted_text"] = ["from a dead worker"]
    calls = worker.run("never called", superseded=True)
    assert calls[-1] == ("interrupt", worker.claim.turn_id, "from a dead worker", "from a dead worker")
    assert [call[0] for call in calls] == ["emitted_text", "interrupt"]


def test_a_draining_run_releases_its_turn(worker: Worker) -> None:
    assert worker.run("Hel", worker.runs.release_all, "lo") == [("release", worker.claim.turn_id, worker.claim.token)]


def test_a_model_that_does_not_begin_is_not_called_again() -> None:
    worker = Worker(first_token_seconds=10)
    assert worker.run(worker.wait(9), "in time")[0][0] == "commit"
    assert worker.run(worker.wait(11), "late") == [("fail", worker.claim.turn_id, Code.PROVIDER_TIMEOUT)]


def test_a_model_that_stops_in_the_middle_is_called_again() -> None:
    worker = Worker(first_token_seconds=10, idle_seconds=5)
    assert worker.run("a", worker.wait(4), "b", worker.wait(4), "c")[0][0] == "commit"
    [(verb, _, code, _, _)] = worker.run("a", worker.wait(6), "b")
    assert (verb, code) == ("retry", Code.PROVIDER_TIMEOUT)


def test_an_answer_that_takes_too_long_is_not_retried() -> None:
    worker = Worker(idle_seconds=5, total_seconds=9)
    calls = worker.run("a", worker.wait(4), "b", worker.wait(4), "c", worker.wait(4), "d")
    assert calls == [("fail", worker.claim.turn_id, Code.PROVIDER_TIMEOUT)]


def test_the_deadlines_are_those_of_the_assistant() -> None:
    worker = Worker(first_token_seconds=10, idle_seconds=10, total_seconds=100)
    hasty = Assistant(name="a", chain=SCRIPTED.chain, first_token_seconds=1, idle_seconds=2, total_seconds=3)
    assert worker.run(worker.wait(1.5), "a", assistant=hasty)[0][0] == "fail"
    assert worker.run("a", worker.wait(2.5), "b", assistant=hasty)[0][0] == "retry"
    assert worker.run("a", worker.wait(1.6), "b", worker.wait(1.6), "c", assistant=hasty)[0][0] == "fail"


@pytest.mark.parametrize("steps", [("Hello",), ("Hello", UNREACHABLE), ("Hello", ValueError())])
def test_nothing_interrupts_the_write_after_a_run(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, steps: tuple[Step, ...]
) -> None:
    """The store decides by the token whether the run still holds the turn."""
    interrupts: list[None] = []
    monkeypatch.setattr(worker.runs, "_interrupter", lambda _: lambda: interrupts.append(None))
    for verb in ("commit", "retry", "fail"):
        monkeypatch.setattr(worker.store, verb, lambda *_, **__: worker.runs.release_all())
    worker.run(*steps)
    assert interrupts == []


@pytest.mark.parametrize(
    ("verb", "steps"),
    [("commit", ("Hello",)), ("fail", (ValueError(),)), ("retry", (UNREACHABLE,))],
)
def test_a_write_is_repeated_until_the_store_has_replied(worker: Worker, verb: str, steps: tuple[Step, ...]) -> None:
    worker.store.errors[verb] = [StoreUnavailable() for _ in range(5)]
    calls = worker.run(*steps)
    assert [call[0] for call in calls] == [verb] * 6
    assert len(set(map(str, calls))) == 1, "each time the same write"


def test_a_write_is_given_up_after_its_patience(worker: Worker) -> None:
    worker.store.errors["commit"] = [StoreUnavailable("gone") for _ in range(100_000)]
    began = worker.clock.now
    with capture_logs() as logs:
        worker.run("Hello")
    assert logs[-1]["event"] == "store.unavailable"
    assert COMMIT_PATIENCE_SECONDS < worker.clock.now - began < COMMIT_PATIENCE_SECONDS + 2


def test_a_disk_that_stays_full_fails_the_turn_once(worker: Worker) -> None:
    """Another run would pay for another answer that cannot be stored either."""
    worker.store.errors["commit"] = [DiskUnavailable("no space left") for _ in range(100_000)]
    began = worker.clock.now
    *commits, last = worker.run("Hello")
    assert last == ("fail", worker.claim.turn_id, Code.HISTORY_WRITE_FAILED)
    assert {call[0] for call in commits} == {"commit"}
    assert worker.clock.now - began > COMMIT_PATIENCE_SECONDS


@pytest.mark.parametrize("error", [ResponseError("WRONGTYPE"), ResponseError("too many results"), TypeError()])
@pytest.mark.parametrize("verb", ["commit", "interrupt"])
def test_a_write_that_cannot_succeed_fails_the_turn_at_once(worker: Worker, verb: str, error: Exception) -> None:
    worker.store.errors[verb] = [error]
    steps = ("Hello", worker.stop(Reply.SUPERSEDED), " you") if verb == "interrupt" else ("Hello",)
    assert [call[0] for call in worker.run(*steps)] == [verb, "fail"]
    assert worker.store.calls[-1][-1] is Code.HISTORY_WRITE_FAILED


@pytest.mark.parametrize(
    ("place", "name"),
    [("runs", "hold"), ("emitter", "open"), ("emitter", "flush_and_close"), ("execution", "_attempt")],
)
def test_any_exception_after_the_claim_fails_the_turn(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    def fail(*_: object) -> None:
        raise RecursionError("a bug")

    monkeypatch.setattr(getattr(worker, place), name, fail)
    with capture_logs() as logs:
        assert worker.run("Hello") == [("fail", worker.claim.turn_id, Code.WORKER_ERROR)]
    assert any(log.get("exc_info") for log in logs), "the traceback is in the log"


def test_a_chain_that_cannot_be_built_fails_its_turn(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def create_run(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(ChainCache, "create_run", create_run)
    assert worker.run() == [("fail", worker.claim.turn_id, Code.CHAIN_ERROR)]


def test_a_run_can_be_stopped_while_its_chain_is_built(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def create_run(*_: object) -> None:
        worker.runs.release_all()
        raise Interrupted

    monkeypatch.setattr(ChainCache, "create_run", create_run)
    assert worker.run() == [("release", worker.claim.turn_id, worker.claim.token)]


def test_a_lease_lost_at_the_commit_is_logged(worker: Worker) -> None:
    worker.store.errors["commit"] = [LeaseLost()]
    with capture_logs() as logs:
        worker.run("Hello")
    assert [log["event"] for log in logs] == ["turn.claimed", "lease.lost"]


def test_the_lease_is_held_until_the_write_has_ended(worker: Worker) -> None:
    held: list[list[Claim]] = []

    def commit(*_: Any, **__: Any) -> None:
        held.append(worker.runs.claims())

    worker.store.commit = commit  # type: ignore[method-assign]  # to see what holds at this moment
    worker.run("Hello")
    assert held == [[worker.claim]]
    assert worker.runs.claims() == []


def test_no_text_of_the_conversation_is_logged(worker: Worker) -> None:
    with capture_logs() as logs:
        worker.run("a secret answer", input="a secret question")
        worker.run("a secret answer", UNREACHABLE, input="a secret question")
    assert [log["event"] for log in logs] == ["turn.claimed", "turn.committed", "turn.claimed", "turn.retrying"]
    assert "secret" not in str(logs)


@pytest.mark.parametrize("key", ["", "sk-canary\nX: y", "sk-canary\u20ac"])
def test_a_turn_whose_key_this_worker_lacks_fails_at_once(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MINE", key)
    with capture_logs() as logs:
        calls = worker.run(assistant=Assistant(name="a", api_key_env="MINE"))
    assert calls == [("fail", worker.claim.turn_id, Code.ASSISTANT_NOT_CONFIGURED)]
    assert "canary" not in str(logs)


def reporting_run(usage: Usage | None, unreported: int, *, model: str = "m") -> Any:
    """Return a run whose provider has reported this much."""
    claim = SimpleNamespace(model=model, assistant=SimpleNamespace(name="a"))
    return SimpleNamespace(claim=claim, reported=lambda: (usage, unreported))


def failure(code: Code, status: int | None = None) -> ModelError:
    return ModelError(code, ModelErrorKind.RETRYABLE, provider_status=status)


def test_reported_tokens_are_taken_as_they_are() -> None:
    spent = spending_of(reporting_run(USAGE, 0), Prices())
    assert (spent.usage, spent.unreported_calls) == (USAGE, 0)


def test_a_call_without_a_report_is_counted() -> None:
    spent = spending_of(reporting_run(None, 1), Prices())
    assert (spent.usage, spent.unreported_calls) == (NO_TOKENS, 1)


@pytest.mark.parametrize(
    ("refusal", "unreported"),
    [
        (failure(Code.PROVIDER_RATE_LIMITED, 429), 0),
        (failure(Code.PROVIDER_UNREACHABLE), 0),
        (failure(Code.PROVIDER_ERROR, 500), 0),
        (failure(Code.PROVIDER_ERROR), 1),
        (failure(Code.PROVIDER_TIMEOUT), 1),
        (failure(Code.INCOMPLETE_ANSWER), 1),
        (failure(Code.CHAIN_ERROR), 1),
    ],
)
def test_a_refused_call_costs_nothing(refusal: ModelError, unreported: int) -> None:
    assert spending_of(reporting_run(None, 1), Prices(), refusal).unreported_calls == unreported


def test_the_offline_model_costs_nothing() -> None:
    assert spending_of(reporting_run(None, 1, model="offline"), Prices()).unreported_calls == 0
