from dataclasses import replace
from typing import Any

import pytest

from tests.support.records import record
from tests.support.stub_client import StubClient
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.errors import Overloaded, TurnExpired, TurnNotFound
from turns.domain.ids import new_turn_id
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore

REQUEST = TurnRequest(session_id="s", input="hello", metadata={"a": "1"}, idempotency_key="k")
OLD_ID = "turn_" + "0" * 32  # created at the epoch


def store_with(*replies: Any) -> tuple[TurnStore, StubClient]:
    client = StubClient(*replies)
    return TurnStore(client.as_client, Settings()), client


def digests(request: TurnRequest) -> tuple[str, str]:
    """Return the digest of the idempotency key and the fingerprint with which a request reaches the script."""
    store, client = store_with({}, [b"OVERLOADED"], [b"COUNTED"])
    with pytest.raises(Overloaded):
        store.accept(request)
    (_, (_, _, *arguments)) = client.commands[1]
    return arguments[3], arguments[4]


def test_equal_requests_have_equal_fingerprints() -> None:
    assert digests(REQUEST) == digests(replace(REQUEST, metadata={"a": "1"}))


@pytest.mark.parametrize(
    "change",
    [{"input": "other"}, {"session_id": "t"}, {"user_id": "alice"}, {"variables": {"a": "1"}}, {"metadata": {}}],
)
def test_a_different_request_has_another_fingerprint(change: dict[str, Any]) -> None:
    (key, fingerprint), (changed_key, changed_fingerprint) = digests(REQUEST), digests(replace(REQUEST, **change))
    assert changed_key == key
    assert changed_fingerprint != fingerprint


def test_a_repetition_by_another_request_keeps_the_fingerprint() -> None:
    later = replace(REQUEST, traceparent=f"00-{'a' * 32}-{'b' * 16}-01", assistant=replace(DEFAULT, description="new"))
    assert digests(replace(later, request_id="another")) == digests(REQUEST)


def test_an_idempotency_key_belongs_to_its_tenant() -> None:
    assert digests(replace(REQUEST, tenant="acme"))[0] != digests(REQUEST)[0]


def test_without_an_idempotency_key_there_are_no_digests() -> None:
    assert digests(replace(REQUEST, idempotency_key=None)) == ("", "")


def test_a_cursor_holds_a_turn_and_its_score() -> None:
    store, client = store_with([b"FOUND", [b"turn_2", b"1700.5"], []])
    page = store.list_turns(after="1800.turn_3", limit=2)
    assert (page.turns, page.after) == ((), "1700.5.turn_2")
    assert client.script_args[2:4] == ("turn_3", "1800")


def test_the_last_page_has_no_cursor() -> None:
    store, _ = store_with([b"FOUND", [b"", b""], []])
    assert store.list_turns(limit=2).after is None


@pytest.mark.parametrize(("turn_id", "error"), [(OLD_ID, TurnExpired), (new_turn_id(), TurnNotFound)])
def test_a_missing_turn_has_expired_if_its_id_is_old(turn_id: str, error: type[Exception]) -> None:
    store, _ = store_with({})
    with pytest.raises(error):
        store.get_turn(turn_id)


def test_an_invalid_turn_id_reaches_no_key() -> None:
    store, client = store_with()
    for read in (store.get_turn, store.cancel):
        with pytest.raises(TurnNotFound):
            read("turn_*")
    assert store.claim("turn_*", worker="w") is None
    assert client.commands == []


def test_a_turn_that_is_not_queued_is_read_with_one_command() -> None:
    fields = {name.encode(): value.encode() for name, value in record(Status.COMPLETED).items()}
    store, client = store_with(fields)
    assert store.get_turn(OLD_ID).status is Status.COMPLETED
    assert [name for name, _ in client.commands] == ["hgetall"]


def entry(entry_id: str, kind: str, text: str) -> tuple[bytes, dict[bytes, bytes]]:
    return entry_id.encode(), {b"type": kind.encode(), b"attempt": b"1", b"text": text.encode()}


@pytest.mark.parametrize(("reason", "text"), [("rescue", "Once upon"), ("retry", "")])
def test_text_of_the_previous_claim_is_void_after_its_retry(reason: str, text: str) -> None:
    claim = Claim.from_record(
        OLD_ID, "t", {**record(Status.IN_PROGRESS), "claims": "2", "model": "m", "started_at": "0"}, (), ""
    )
    events = [entry("1-1", "delta", "Once "), entry("1-2", "delta", "upon"), entry("1-3", "reset", reason)]
    store, client = store_with(events)
    assert store.emitted_text(claim) == text
    assert client.commands[0][1][1] == "(1-0"
