"""Tests of the verdict: each situation, and the sentences that an operator reads."""

from dataclasses import replace
from typing import Any

import pytest

from turns.domain.run.retry import HoldReason
from turns.domain.state import TERMINAL, Status
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.operations.finding import ServiceFacts
from turns.operations.time_series import StatsPoint
from turns.operations.verdict import evaluate
from turns.operations.workers import Worker
from turns.pauses.part import INTAKE, WORKERS, ServicePart
from turns.pauses.pause import Pause
from turns.processes.record import ProcessRecord, ProcessState
from turns.store.failing import FailingModel
from turns.store.health import Health, Memory
from turns.store.held import CrowdedGroup
from turns.store.holds import ModelHold

NOW = 1_000_000_000
MEMORY = Memory(used_bytes=1, limit_bytes=2_000_000_000, eviction_policy="noeviction")
HEALTH = Health(durability="always", memory=MEMORY, replicas=0, live_workers=2, live_chain_workers=0, live_turns=0)
RECENT = StatsPoint(
    at=0,
    accepted=0,
    ended=dict.fromkeys(TERMINAL, 0),
    expired=0,
    refused={},
    live_turns=None,
    waiting_turns=None,
    wait_p50_seconds=None,
    wait_p95_seconds=None,
    first_token_p95_seconds=None,
    duration_p95_seconds=None,
    error_share=None,
)
CALM = ServiceFacts(
    now=NOW,
    health=HEALTH,
    held={},
    waiting_kinds={},
    holds=(),
    oldest_waiting_seconds=0,
    oldest_unanswered_seconds=0,
    first_token_wait_seconds=0,
    completed_seconds=None,
    failing=(),
    lost_turns=0,
    workers=(),
    running_turns=0,
    recent=RECENT,
)
BUSY = replace(CALM, health=replace(HEALTH, live_turns=9), running_turns=5, completed_seconds=1)
LIMITED = CrowdedGroup(name="tenant:acme", slots=5, waiting=3)
SHARING = CrowdedGroup(name="loop/model:slow", slots=360, waiting=240)
WAITING = replace(BUSY, held={Reason.WORKERS_BUSY: 4})


def pause(part: ServicePart, **changes: Any) -> Pause:
    """Return a pause for half a minute, which ends after another one."""
    half = Pause(part=part, by="", reason="", since=NOW - 30_000, until=NOW + 30_000, is_over=False, waiting_turns=0)
    return replace(half, **changes)


def health(**changes: Any) -> ServiceFacts:
    return replace(BUSY, health=replace(BUSY.health, **changes))


def memory(**changes: Any) -> ServiceFacts:
    return health(memory=replace(MEMORY, **changes))


def recent(**changes: Any) -> ServiceFacts:
    return replace(BUSY, recent=replace(RECENT, **changes))


def ended(*, completed: int, failed: int) -> dict[Status, int]:
    return {**RECENT.ended, Status.COMPLETED: completed, Status.FAILED: failed}


def test_a_missing_kind_of_worker_holds_its_turns_only() -> None:
    [found] = evaluate(replace(BUSY, waiting_kinds={WorkerKind.CHAINS: 3, WorkerKind.LOOP: 1}))
    assert (found.level, found.code, found.detail) == ("bad", "no_chain_worker", "3 turns cannot start.")
    only_chains = replace(health(live_workers=1, live_chain_workers=1), waiting_kinds={WorkerKind.LOOP: 1})
    assert [found.code for found in evaluate(only_chains)] == ["no_worker"]


def worker(name: str, *, silent_seconds: float, turns: int) -> Worker:
    running = tuple(f"turn_{n}" for n in range(turns))
    state = ProcessState.RUNNING if silent_seconds <= 10 else ProcessState.SILENT
    process = ProcessRecord(name=name, kind=WorkerKind.LOOP, seen_at=0, host="alpha", version="1")
    return Worker(name=name, state=state, beat_at=0, silent_seconds=silent_seconds, running=running, process=process)


def dead(*seconds_ago: int, **process: Any) -> ServiceFacts:
    """Return facts with one living worker and these dead ones."""
    alive = worker("alive", silent_seconds=0, turns=0)
    workers = [
        replace(
            alive, state=ProcessState.DEAD, process=replace(alive.process, ended_at=NOW - seconds * 1000, **process)
        )
        for seconds in seconds_ago
    ]
    return replace(BUSY, workers=[alive, *workers])


def versions(*workers: str, web: tuple[str, ...] = ("1",)) -> ServiceFacts:
    one = worker("w", silent_seconds=0, turns=0)
    running = [replace(one, process=replace(one.process, version=version)) for version in workers]
    return replace(BUSY, workers=running, web_versions=web)


def silent(seconds: float, *, turns: int) -> ServiceFacts:
    return replace(BUSY, workers=[worker("w1", silent_seconds=seconds, turns=turns)])


def with_models(*models: str, is_alive: bool = True) -> ServiceFacts:
    workers = [worker(f"w{n}", silent_seconds=0 if is_alive else 60, turns=0) for n in range(len(models))]
    return replace(BUSY, workers=[replace(one, model=model) for one, model in zip(workers, models, strict=True)])


def test_workers_with_different_models_are_noticed() -> None:
    [found] = evaluate(with_models("gpt at A", "llama at B", "gpt at A"))
    assert (found.level, found.code, found.detail) == (
        "warn",
        "workers_differ",
        "2 workers: gpt at A; 1 worker: llama at B.",
    )
    assert "INTURN_NAMESPACE" in found.todo


@pytest.mark.parametrize(
    "facts", [with_models("gpt", "gpt", ""), with_models("gpt"), with_models("gpt", "llama", is_alive=False)]
)
def test_equal_or_dead_workers_do_not_differ(facts: ServiceFacts) -> None:
    assert "workers_differ" not in [found.code for found in evaluate(facts)]


def test_workers_that_die_again_and_again_are_noticed() -> None:
    [found] = evaluate(dead(1, 100, 299))
    assert (found.level, found.code) == ("bad", "workers_crash")
    assert found.detail == "In the last 5 minutes: 3 workers on alpha."


@pytest.mark.parametrize("facts", [dead(1, 2), dead(1, 2, 301)])
def test_few_or_old_deaths_are_no_crash_loop(facts: ServiceFacts) -> None:
    assert [found.code for found in evaluate(facts)] == ["all_good"]


def test_processes_of_different_versions_are_noticed() -> None:
    [found] = evaluate(versions("1", "2", "1", web=("2",)))
    assert (found.level, found.code, found.detail) == (
        "warn",
        "versions_differ",
        "1: 2 workers; 2: 1 worker and 1 endpoint.",
    )
    [found] = evaluate(versions("", "1"))
    assert found.detail == "an earlier release: 1 worker; 1: 1 worker and 1 endpoint."
    assert [found.code for found in evaluate(versions("1", "1"))] == ["all_good"]


def test_another_store_is_noticed() -> None:
    [found] = evaluate(replace(BUSY, replaced_at={0: NOW - 90_000}))
    assert (found.level, found.code) == ("bad", "store_replaced")
    assert found.detail.startswith("It changed 90 s ago. ")


def test_an_emptied_part_of_the_store_is_noticed() -> None:
    [found] = evaluate(replace(BUSY, replaced_at={17: NOW - 90_000, 16: NOW - 100_000}))
    assert (found.level, found.code) == ("bad", "store_replaced")
    assert found.detail.startswith("Partitions that changed, at last 90 s ago: 16, 17. ")


def failing(seconds: int, attempts: int) -> ServiceFacts:
    model = FailingModel(model="gpt", since=NOW - seconds * 1000, attempts=attempts, code="provider_unreachable")
    return replace(BUSY, failing=[model])


def held(turns: int) -> ServiceFacts:
    hold = ModelHold(
        name="gpt",
        reason=HoldReason.OUTAGE,
        code="provider_unreachable",
        since=NOW - 424_000,
        until=NOW,
        is_reopening=False,
        held_turns=turns,
        oldest_held_at=NOW - 424_000,
    )
    return replace(BUSY, holds=[hold])


def headlines(facts: ServiceFacts) -> list[str]:
    return [f"{finding.level}: {finding.headline}" for finding in evaluate(facts)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (CALM, ["good: All good."]),
        (BUSY, ["good: All good."]),
        (health(refusal="OOM"), ["bad: No turn can be submitted: the store refuses writes."]),
        (memory(eviction_policy="allkeys-lru"), ["bad: No turn can be submitted: the store may delete turns."]),
        (memory(used_bytes=1_599_999_999), ["good: All good."]),
        (memory(used_bytes=1_600_000_000), ["warn: The store is nearly full."]),
        (memory(used_bytes=1_960_000_000), ["bad: The store is full."]),
        (memory(used_bytes=10**12, limit_bytes=0), ["good: All good."]),
        (replace(CALM, health=replace(HEALTH, live_workers=0)), ["bad: No worker is running."]),
        (health(live_workers=0), ["bad: Users are waiting: no worker is running."]),
        (replace(CALM, pauses=[pause(WORKERS)]), ["warn: The workers are paused."]),
        (
            replace(BUSY, pauses=[pause(WORKERS)], held={Reason.WORKERS_PAUSED: 4}, oldest_waiting_seconds=40),
            ["bad: The workers are paused."],
        ),
        (replace(BUSY, pauses=[pause(INTAKE)]), ["warn: New turns are refused."]),
        (replace(WAITING, oldest_waiting_seconds=0.9), ["good: All good."]),
        (replace(WAITING, oldest_waiting_seconds=1.5), ["warn: Users are waiting."]),
        (replace(WAITING, oldest_waiting_seconds=40), ["bad: Users are waiting."]),
        (replace(BUSY, held={Reason.PARKED: 4}, oldest_waiting_seconds=40), ["good: All good."]),
        (replace(BUSY, crowded=[LIMITED]), ["good: All good."]),
        (replace(BUSY, crowded=[LIMITED, SHARING]), ["warn: Some turns wait so that others can start."]),
        (replace(BUSY, workers=[worker("w1", silent_seconds=9, turns=7)]), ["good: All good."]),
        (
            replace(BUSY, workers=[worker("w1", silent_seconds=41, turns=7)]),
            ["bad: A worker is stuck: its turns stand still."],
        ),
        (
            replace(BUSY, workers=[worker("w1", silent_seconds=41, turns=0)]),
            ["warn: A worker has stopped unexpectedly."],
        ),
        (held(1275), ["bad: Users are waiting for a model."]),
        (held(0), ["warn: A model takes no turns."]),
        (failing(59, 40), ["warn: Every turn of a model fails."]),
        (failing(60, 3), ["bad: Every turn of a model fails."]),
        (replace(BUSY, oldest_unanswered_seconds=59), ["good: All good."]),
        (replace(BUSY, oldest_unanswered_seconds=60), ["bad: Users have waited long for an answer."]),
        (replace(BUSY, oldest_unanswered_seconds=90, completed_seconds=90), ["bad: Nothing completes."]),
        (replace(BUSY, oldest_unanswered_seconds=90, completed_seconds=None), ["bad: Nothing completes."]),
        (replace(BUSY, oldest_unanswered_seconds=0, completed_seconds=9999), ["good: All good."]),
        (recent(error_share=0.05), ["good: All good."]),
        (recent(error_share=0.25, ended=ended(completed=3, failed=1)), ["warn: Turns are failing."]),
        (recent(error_share=0.5, ended=ended(completed=1, failed=1)), ["bad: Most turns are failing."]),
        (recent(error_share=1.0, expired=9), ["bad: Most turns are failing."]),
        (recent(refused={"overloaded": 2}), ["warn: Turns are refused."]),
        (recent(refused={"rate_limited": 99, "session_backlog_full": 1}), ["good: All good."]),
        (replace(BUSY, lost_turns=1), ["warn: Turns end their workers."]),
        (recent(wait_p95_seconds=26), ["warn: Users had to wait."]),
        (recent(first_token_p95_seconds=12), ["warn: The model is slow."]),
        (replace(BUSY, first_token_wait_seconds=28), ["warn: The model is slow."]),
        (
            replace(WAITING, oldest_waiting_seconds=40, recent=replace(RECENT, refused={"store_unsafe": 1})),
            ["bad: Users are waiting.", "warn: Turns are refused."],
        ),
    ],
)
def test_the_most_severe_finding_comes_first(facts: ServiceFacts, expected: list[str]) -> None:
    assert headlines(facts) == expected


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        (failing(90, 41), "For 90 s every turn of gpt has failed: provider_unreachable (41 attempts)."),
        (
            replace(BUSY, workers=[worker("w1", silent_seconds=41, turns=7), worker("w2", silent_seconds=90, turns=0)]),
            "Worker w1: silent 41 s, holds 7 turns.",
        ),
        (
            replace(
                BUSY,
                health=replace(HEALTH, live_turns=1275),
                held={Reason.RETRY: 75, Reason.MODEL_PAUSED: 1200, Reason.PARKED: 0},
                oldest_unanswered_seconds=424,
                completed_seconds=420,
                running_turns=0,
            ),
            "No turn has completed for 7 min 0 s, and 1,275 turns are live: 1,200 model_paused, 75 retry.",
        ),
        (
            recent(error_share=0.75, expired=2, ended=ended(completed=1, failed=1)),
            "75% failed in the last 5 minutes: 3 of 4 (2 of them were not started in time).",
        ),
        (
            recent(refused={"store_unavailable": 1, "overloaded": 12, "rate_limited": 5}),
            "13 submitted turns were refused in the last 5 minutes: overloaded 12, store_unavailable 1.",
        ),
        (
            replace(WAITING, held={Reason.WORKERS_BUSY: 1}, oldest_waiting_seconds=4.25),
            "1 turn is waiting for a worker; the longest wait is 4.2 s.",
        ),
        (BUSY, "No turn waits for a worker; 5 turns are running."),
    ],
)
def test_details_name_numbers_and_causes(facts: ServiceFacts, detail: str) -> None:
    assert evaluate(facts)[0].detail == detail


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "gpt does not answer (provider_unreachable) (for 7 min 4 s); 1,275 turns are waiting."),
        ({"reason": HoldReason.RATE_LIMITED}, "gpt is paused by its provider (for"),
        ({"is_reopening": True}, "gpt answers again"),
    ],
)
def test_a_held_model_is_named_with_its_reason(changes: dict[str, Any], words: str) -> None:
    facts = held(1275)
    [finding] = evaluate(replace(facts, holds=[replace(facts.holds[0], **changes)]))
    assert words in finding.detail
    assert finding.todo.endswith("or at once with “Resume gpt now” on /operator.")


def test_the_groups_that_use_their_share_are_named() -> None:
    groups = [replace(SHARING, name=f"loop/model:slow{n}") for n in range(5)]
    [finding] = evaluate(replace(BUSY, crowded=[LIMITED, *groups]))
    assert finding.code == "share_used"
    assert finding.detail.startswith("The model slow0 uses 360 slots, and 240 turns are waiting; The model slow1 ")
    assert finding.detail.endswith("; and 2 more.")
