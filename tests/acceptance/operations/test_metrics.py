"""Metrics are the same from each of several processes, and survive their restarts."""

import urllib.request
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.support.processes import Stack
from tests.support.waiting import wait_until


def scrape(stack: Stack) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urllib.request.urlopen(f"{stack.url}/metrics") as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for sample in samples
        if sample.name != "inturn_store_memory_bytes"  # changes all the time
    }


def metric(stack: Stack, name: str, **labels: str) -> float:
    return scrape(stack).get((name, frozenset(labels.items())), 0)


def test_events_are_counted_and_timed_once(start: Callable[..., Stack]) -> None:
    stack = start(workers=2, INTURN_WEB_PROCESSES="2", INTURN_MAX_ATTEMPTS="2", INTURN_RETRY_SECONDS="0")
    for n in range(10):
        stack.submit(f"s{n}", "hello [pace 0.02]")
    retried = stack.submit("retried", "hello [fail 503 1]")
    failed = stack.submit("failed", "hello [fail 401]")
    for turn in (*(stack.submit(f"s{n}", "again") for n in range(10)), retried, failed):
        stack.wait_until_finished(turn)
    for _ in range(4):  # so that both processes are asked
        assert metric(stack, "inturn_turns_accepted_total", lane="interactive") == 22
        assert metric(stack, "inturn_turns_ended_total", status="completed", reason="") == 21
        assert metric(stack, "inturn_turns_ended_total", status="failed", reason="provider_authentication") == 1
        assert metric(stack, "inturn_attempts_retried_total", code="provider_error") == 1
        assert metric(stack, "gen_ai_client_operation_duration_seconds_count") == 21
        assert metric(stack, "inturn_turn_wait_seconds_count") == 23
        assert metric(stack, "gen_ai_server_time_to_first_token_seconds_count") == 21
    tokens = {"gen_ai_request_model": "gpt-4o-mini"}
    assert metric(stack, "gen_ai_client_token_usage_total", gen_ai_token_type="input", **tokens) == 21 * 7
    assert metric(stack, "inturn_live_turns") == metric(stack, "inturn_waiting_turns") == 0
    assert metric(stack, "inturn_live_workers") == 2
    before = scrape(stack)
    assert before["inturn_running_workers", frozenset({("kind", "loop")})] == 2
    assert before["inturn_worker_deaths_total", frozenset({("kind", "loop")})] == 0
    stack.web.stop()
    stack.web = stack.start_web()
    stack.wait_until_ready(workers=2)
    assert scrape(stack) == before


def test_waiting_turns_are_counted_with_their_age(start: Callable[..., Stack]) -> None:
    stack = start(workers=0)
    stack.store.raw.hset("inturn:service", "hint", "turn_" + "0" * 32)
    for session in ("a", "b"):
        for _ in range(2):
            stack.submit(session, "hello")
    assert metric(stack, "inturn_live_turns") == 4
    assert metric(stack, "inturn_waiting_turns") == 2, "the heads; the others wait for them"
    wait_until("the age grows", lambda: metric(stack, "inturn_oldest_waiting_seconds") > 0.2)
