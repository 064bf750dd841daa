"""Tests of the findings about pauses: the sentences that an operator reads."""

from dataclasses import replace

from tests.unit.turns.operations.test_verdict import BUSY, CALM, NOW, pause
from turns.operations.pause_findings import find_pauses
from turns.pauses.part import INTAKE, WORKERS, ServicePart

ACME = ServicePart.parse("tenant", "acme")


def test_a_pause_says_who_why_since_and_until() -> None:
    acme = pause(ACME, by="key_1", reason="floods us.", waiting_turns=12)
    [found] = find_pauses(replace(BUSY, pauses=[acme]))
    assert (found.level, found.code, found.headline) == ("warn", "parts_paused", "A part of the service is paused.")
    expected = "The tenant acme has been paused by key_1 for 30 s; 12 turns are waiting; it ends in 30 s (floods us)."
    assert found.detail == expected


def test_pauses_of_the_whole_service_have_their_own_findings() -> None:
    found = list(find_pauses(replace(CALM, pauses=[pause(INTAKE), pause(WORKERS), pause(ACME)])))
    assert [finding.code for finding in found] == ["workers_paused", "intake_paused", "parts_paused"]
    assert [finding.detail for finding in found] == [
        "The workers have been paused for 30 s; 0 turns are waiting; it ends in 30 s.",
        "The intake has been paused for 30 s; it ends in 30 s.",
        "The tenant acme has been paused for 30 s; 0 turns are waiting; it ends in 30 s.",
    ]


def test_a_pause_without_an_end_is_forgotten_after_an_hour() -> None:
    early, late = pause(ACME, until=None, since=NOW - 3_600_000), pause(ACME, until=None, since=NOW - 3_600_001)
    [found] = find_pauses(replace(CALM, pauses=[early]))
    assert found.detail == "The tenant acme has been paused for 1 h 0 min; 0 turns are waiting; no end is set."
    [_, forgotten] = find_pauses(replace(CALM, pauses=[late]))
    assert (forgotten.code, forgotten.level) == ("pause_forgotten", "warn")
    with_end = replace(late, until=NOW + 1)
    assert [found.code for found in find_pauses(replace(CALM, pauses=[with_end]))] == ["parts_paused"]


def test_a_pause_that_is_over_is_no_finding() -> None:
    assert list(find_pauses(replace(CALM, pauses=[pause(ACME, is_over=True, waiting_turns=3)]))) == []


def test_only_some_of_many_pauses_are_described() -> None:
    pauses = [pause(ServicePart.parse("tenant", f"t{n}")) for n in range(5)]
    [found] = find_pauses(replace(CALM, pauses=pauses))
    assert found.detail.endswith("it ends in 30 s. And 2 more.")
