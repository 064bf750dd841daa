import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turns.domain.ids import (
    MAX_ID_BYTES,
    created_at,
    escape_id,
    is_id,
    is_name,
    is_turn_id,
    new_turn_id,
    partition_of,
    request_fingerprint,
    session_key,
    tenant_of,
    unescape_id,
    user_key,
)

IDS = st.text(st.sampled_from("ab/%2F.-_~@|:*{}[]?+#&é\u0301日\U0001f308") | st.characters(), min_size=1).filter(is_id)
PLAIN_ID = re.compile(r"[A-Za-z0-9._~-]+")


@pytest.mark.parametrize("tenant", ["-", "acme"])
@pytest.mark.parametrize("user_id", [None, "alice"])
def test_the_name_of_a_session_contains_its_tenant(tenant: str, user_id: str | None) -> None:
    assert tenant_of(session_key("s", user_id, tenant)) == tenant


def test_no_two_sessions_share_a_name() -> None:
    names = {session_key("s", user_id, tenant) for user_id in (None, "alice") for tenant in ("-", "alice", "acme")}
    assert len(names) == 6
    assert session_key("s") == "s", "an unmodified RedisChatMessageHistory reads this session"


@pytest.mark.parametrize("request_id", [None, "req-1"])
def test_turn_ids_sort_by_their_time_of_creation(request_id: str | None) -> None:
    turn_ids = [new_turn_id(request_id) for _ in range(100)]
    assert turn_ids == sorted(turn_ids)
    assert len(set(turn_ids)) == 100
    assert all(map(is_turn_id, turn_ids))
    assert 0 <= created_at(turn_ids[-1]) - created_at(turn_ids[0]) < 10_000


def test_the_turns_of_a_request_are_found_by_their_ids() -> None:
    of_request, others = [new_turn_id("req-1") for _ in range(10)], [new_turn_id(f"other-{n}") for n in range(10)]
    fingerprint = request_fingerprint("req-1")
    assert [turn_id for turn_id in (*others, *of_request) if turn_id.endswith(fingerprint)] == of_request


@pytest.mark.parametrize("request_id", [None, "req-1"])
@pytest.mark.parametrize("partition", [0, 23, 4095])
def test_the_id_of_a_turn_names_its_partition(partition: int, request_id: str | None) -> None:
    turn_ids = [new_turn_id(request_id, partition=partition) for _ in range(100)]
    assert {partition_of(turn_id) for turn_id in turn_ids} == {partition}
    assert turn_ids == sorted(turn_ids)
    assert len(set(turn_ids)) == 100
    assert all(map(is_turn_id, turn_ids))
    assert 0 <= created_at(turn_ids[-1]) - created_at(turn_ids[0]) < 10_000


def test_the_place_of_the_partition_in_an_id_is_pinned() -> None:
    assert partition_of("turn_01a2225d398f8017a38e62caea1c301f") == 0x017
    assert partition_of("turn_01a2225d398f7368ba38e62caea1c301") is None
    assert UUID(new_turn_id(partition=5).removeprefix("turn_")).version == 8


def test_the_turns_of_a_request_are_found_in_all_partitions() -> None:
    turn_ids = [new_turn_id("req-1", partition=partition) for partition in range(24)]
    assert {turn_id[-8:] for turn_id in turn_ids} == {request_fingerprint("req-1")}


@pytest.mark.parametrize("user_id", ["alice", "-", "a/b", "é"])
def test_a_session_begins_with_the_name_of_its_user(user_id: str) -> None:
    assert session_key("s", user_id, "acme") == f"{user_key(user_id, 'acme')}/s"


@given(IDS)
def test_an_escaped_id_is_reversible_and_safe(text: str) -> None:
    escaped = escape_id(text)
    assert unescape_id(escaped) == text
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", escaped)
    assert escaped not in {".", "..", "-"}
    assert len(escaped) <= 3 * MAX_ID_BYTES
    if PLAIN_ID.fullmatch(text) and text != "-":
        assert escaped == text, "plain ids keep their keys"


@given(*[st.tuples(IDS, st.none() | IDS, st.sampled_from(["-", "a", "acme"]))] * 2)
def test_different_sessions_have_different_keys(
    one: tuple[str, str | None, str], other: tuple[str, str | None, str]
) -> None:
    assert (session_key(*one) == session_key(*other)) == (one == other)
    assert tenant_of(session_key(*one)) == one[2]


@pytest.mark.parametrize("text", ["alice@example.com", "auth0|abc", "https://idp/x?y=z#w", "a..b", "-", "Ω" * 255])
def test_ids_of_identity_providers_are_valid(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a b", "a\n", "a\x1f", "\u200b", "\u202ea", chr(0xD800), "\ue000", "\ufffd", "x" * 256, "日" * 171],
)
def test_an_unprintable_or_long_id_is_invalid(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("name", ["", ".", "..", "-", "a/b", "a b", "a\n", "é", "x" * 129])
def test_an_ambiguous_or_long_name_is_invalid(name: str) -> None:
    assert not is_name(name)
