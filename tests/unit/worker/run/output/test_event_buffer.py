"""Test that text reaches the store in batches, in order, and exactly once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.worker.run.stand_ins import FakeStore, make_claim
from turns.backend.script_replies import Reply
from turns.domain.errors import LeaseLost, StoreUnavailable
from turns.domain.events import MAX_OUTPUT_EVENTS, EventType, OutputEvent
from turns.store.partitioned.turns import PartlyEmitted
from worker.run.output.event_buffer import DeltaEmitter

MAX_BYTES = 100


class Fixture:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.stopped: list[Any] = []
        self.emitter = DeltaEmitter(self.store, self.stopped.extend)  # type: ignore[arg-type]  # a stand-in

    def emitted(self) -> list[Any]:
        return [list(deltas) for _, deltas in self.store.calls]


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_texts_between_two_flushes_are_one_delta(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hel")
        buffer.append("lo")
        fixture.emitter.flush()
        buffer.append(" you")
        fixture.emitter.flush()
    assert fixture.emitted() == [[("1-5", "Hello")], [("1-9", " you")]]
    assert (buffer.text, buffer.unsent) == ("Hello you", "")


def test_all_runs_are_sent_in_one_call(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as first, fixture.emitter.open(make_claim(number=7)) as second:
        first.append("a")
        second.append("b")
        fixture.emitter.flush()
    assert [sorted(deltas) for deltas in fixture.emitted()] == [[("1-1", "a"), ("7-1", "b")]]


def test_a_run_without_new_text_is_not_sent(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as quiet, fixture.emitter.open(make_claim()) as other:
        other.append("x")
        fixture.emitter.flush()
        assert len(fixture.emitted()[0]) == 1
    assert quiet.text == ""


def test_an_empty_text_wakes_nothing(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("")
        buffer.append("x")
        fixture.emitter.flush()
    assert fixture.emitted() == [[("1-1", "x")]]


def test_a_flush_after_the_run_has_closed_sends_nothing(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("tail")
    fixture.emitter.flush()
    assert fixture.emitted() == []
    assert buffer.unsent == "tail"


def test_a_delta_with_unknown_outcome_is_sent_again_unchanged(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable()]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        fixture.emitter.flush()
        buffer.append(" you")
        fixture.emitter.flush()
        fixture.emitter.flush()  # does not wait for another word
    same, new = [("1-5", "Hello")], [("1-9", " you")]
    assert fixture.emitted() == [same, same, new], "the store ignores an id that it already has"


def test_an_unavailable_store_is_retried_without_new_text(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable(), StoreUnavailable()]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        for _ in range(3):
            fixture.emitter.flush()  # would block for ever without the retry
    assert fixture.emitted() == [[("1-5", "Hello")]] * 3
    assert fixture.stopped == []


def test_a_partition_that_is_away_holds_up_no_other_run(fixture: Fixture) -> None:
    here, gone = make_claim(), replace(make_claim(number=7), turn_id="gone")
    fixture.store.errors["emit"] = [PartlyEmitted([], {gone.turn_id})]
    with fixture.emitter.open(here) as buffer, fixture.emitter.open(gone) as waiting:
        buffer.append("a")
        waiting.append("b")
        fixture.emitter.flush()
        buffer.append("c")
        fixture.emitter.flush()
    assert sorted(fixture.emitted()[1]) == [("1-2", "c"), ("7-1", "b")]


def test_runs_that_have_lost_their_lease_are_stopped(fixture: Fixture) -> None:
    fixture.store.replies["emit"] = [[("token", Reply.LOST)]]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("x")
        fixture.emitter.flush()
    assert fixture.stopped == [("token", Reply.LOST)]


def test_a_run_without_its_lease_opens_no_model(fixture: Fixture) -> None:
    claim = make_claim(is_admitted=True)
    fixture.store.replies["emit"] = [[(claim.token, Reply.LOST)]]
    with fixture.emitter.open(claim) as buffer:
        buffer.append("x")
        fixture.emitter.flush()
    assert fixture.store.verbs() == ["emit"]


def test_runs_are_stopped_although_a_model_cannot_be_opened(fixture: Fixture) -> None:
    fixture.store.replies["emit"] = [[("other", Reply.LOST)]]
    fixture.store.errors["reopen"] = [StoreUnavailable()]
    with fixture.emitter.open(make_claim(is_admitted=True)) as buffer:
        buffer.append("x")
        with pytest.raises(StoreUnavailable):
            fixture.emitter.flush()
    assert fixture.stopped == [("other", Reply.LOST)]


def test_closing_without_a_delta_in_flight_calls_no_store(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        fixture.emitter.flush()
        buffer.append(" you")
        fixture.emitter.flush_and_close(buffer)
        assert buffer.unsent == " you", "it is written with the commit"
    assert len(fixture.emitted()) == 1


def test_closing_sends_the_delta_in_flight_again(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable()]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        fixture.emitter.flush()
        buffer.append(" you")
        fixture.emitter.flush_and_close(buffer)
        assert fixture.emitted() == [[("1-5", "Hello")], [("1-5", "Hello")]]
        assert buffer.unsent == " you"
        fixture.emitter.flush_and_close(buffer)
        assert len(fixture.emitted()) == 2, "a second time there is nothing to do"


def test_closing_can_be_repeated_after_a_failure(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable(), StoreUnavailable()]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        fixture.emitter.flush()
        with pytest.raises(StoreUnavailable):
            fixture.emitter.flush_and_close(buffer)
        fixture.emitter.flush_and_close(buffer)
    assert fixture.emitted() == [[("1-5", "Hello")]] * 3


def test_closing_raises_if_the_lease_is_lost(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable()]
    fixture.store.replies["emit"] = [[("token", Reply.LOST)]]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        fixture.emitter.flush()
        with pytest.raises(LeaseLost):
            fixture.emitter.flush_and_close(buffer)


def test_a_closed_buffer_gives_no_further_delta(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("Hello")
        fixture.emitter.flush_and_close(buffer)
        assert buffer.next_deltas() == ()
        assert buffer.unsent == "Hello"


def tool(text: str) -> OutputEvent:
    return OutputEvent(EventType.TOOL, text)


def reasoning(text: str) -> OutputEvent:
    return OutputEvent(EventType.REASONING, text)


def test_events_keep_their_places_between_the_texts(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        for event in (reasoning("let "), reasoning("me see"), tool("{}")):
            buffer.append_event(event, max_bytes=MAX_BYTES)
        buffer.append("It is ")
        buffer.append("noon.")
        buffer.append_event(tool("[]"), max_bytes=MAX_BYTES)
        fixture.emitter.flush()
    assert fixture.emitted() == [[("1-1", "let me see"), ("1-2", "{}"), ("1-13", "It is noon."), ("1-14", "[]")]]
    assert buffer.text == "It is noon."


def test_events_with_unknown_outcome_are_sent_again(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable()]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append_event(tool("{}"), max_bytes=MAX_BYTES)
        buffer.append("a")
        fixture.emitter.flush()
        buffer.append_event(tool("[]"), max_bytes=MAX_BYTES)
        fixture.emitter.flush()
        fixture.emitter.flush()
    same = [("1-1", "{}"), ("1-2", "a")]
    assert fixture.emitted() == [same, same, [("1-3", "[]")]]


def test_closing_sends_the_events_and_leaves_the_last_text(fixture: Fixture) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable()]
    with fixture.emitter.open(make_claim()) as buffer:
        buffer.append("a")
        fixture.emitter.flush()
        buffer.append_event(tool("{}"), max_bytes=MAX_BYTES)
        fixture.emitter.flush_and_close(buffer)
    assert fixture.emitted() == [[("1-1", "a")], [("1-1", "a")], [("1-2", "{}")]]
    assert buffer.unsent == ""


def test_too_many_or_too_large_events_are_refused(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        assert buffer.append_event(tool("x" * MAX_BYTES), max_bytes=MAX_BYTES)
        assert not buffer.append_event(tool("x"), max_bytes=MAX_BYTES)
    with fixture.emitter.open(make_claim()) as buffer:
        taken = [buffer.append_event(tool("x"), max_bytes=10**6) for _ in range(MAX_OUTPUT_EVENTS + 1)]
    assert taken == [True] * MAX_OUTPUT_EVENTS + [False]


def test_reasoning_beyond_the_limit_is_left_out(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as buffer:
        for text in ("x" * MAX_BYTES, "more"):
            assert buffer.append_event(reasoning(text), max_bytes=MAX_BYTES)
        assert buffer.append_event(tool("{}"), max_bytes=MAX_BYTES)
        fixture.emitter.flush()
    assert fixture.emitted() == [[("1-1", "x" * MAX_BYTES), ("1-2", "{}")]]


@pytest.mark.parametrize("is_answer", [True, False])
def test_only_what_a_model_has_caused_opens_it(fixture: Fixture, is_answer: bool) -> None:
    kind = EventType.REASONING if is_answer else EventType.DATA
    with fixture.emitter.open(make_claim(is_admitted=True)) as buffer:
        buffer.append_event(OutputEvent(kind, "{}"), max_bytes=MAX_BYTES)
        fixture.emitter.flush()
        assert fixture.store.verbs() == (["emit", "reopen"] if is_answer else ["emit"])
        buffer.append("text")
        fixture.emitter.flush()
    assert fixture.store.verbs().count("reopen") == 1


@pytest.mark.parametrize("failures", [0, 1, 3])
@pytest.mark.parametrize("flushes", [1, 2, 5])
def test_sent_and_unsent_text_are_together_the_answer(
    fixture: Fixture, failures: int, flushes: int, in_stream: Callable[[FakeStore], str]
) -> None:
    fixture.store.errors["emit"] = [StoreUnavailable() for _ in range(failures)]
    with fixture.emitter.open(make_claim()) as buffer:
        for n in range(flushes):
            buffer.append(f"word{n} ")
            fixture.emitter.flush()
        buffer.append("end")
        while True:
            try:
                fixture.emitter.flush_and_close(buffer)
                break
            except StoreUnavailable:
                continue
        assert in_stream(fixture.store) + buffer.unsent == buffer.text


@pytest.fixture
def in_stream() -> Callable[[FakeStore], str]:
    """Return the text in the stream: each entry id once, as the script `emit` appends it."""

    def read(store: FakeStore) -> str:
        entries: dict[str, str] = {}
        for _, deltas in store.calls:
            for entry_id, text in deltas:
                assert entries.setdefault(entry_id, text) == text, "an id must never have another text"
        return "".join(entries.values())

    return read


def test_only_a_run_with_nothing_but_its_output_is_all_of_it(fixture: Fixture) -> None:
    with fixture.emitter.open(make_claim()) as plain, fixture.emitter.open(make_claim()) as mixed:
        for buffer in (plain, mixed):
            buffer.append("Grüße")
        mixed.append_event(tool("{}"), max_bytes=MAX_BYTES)
        fixture.emitter.flush()
        for buffer in (plain, mixed):
            buffer.append("!")
        assert plain.is_all_of("Grüße!")
        assert not plain.is_all_of("Another")
        assert not mixed.is_all_of("Grüße!")
