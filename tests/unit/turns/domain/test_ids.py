import pytest

from turns.domain.ids import created_at, is_name, is_turn_id, new_turn_id, session_key, tenant_of


@pytest.mark.parametrize("tenant", ["-", "acme"])
@pytest.mark.parametrize("user_id", [None, "alice"])
def test_the_name_of_a_session_contains_its_tenant(tenant: str, user_id: str | None) -> None:
    assert tenant_of(session_key("s", user_id, tenant)) == tenant


def test_no_two_sessions_share_a_name() -> None:
    names = {session_key("s", user_id, tenant) for user_id in (None, "alice") for tenant in ("-", "alice", "acme")}
    assert len(names) == 6
    assert session_key("s") == "s", "an unmodified RedisChatMessageHistory reads this session"


def test_turn_ids_sort_by_their_time_of_creation() -> None:
    turn_ids = [new_turn_id() for _ in range(100)]
    assert turn_ids == sorted(turn_ids)
    assert all(map(is_turn_id, turn_ids))
    assert 0 <= created_at(turn_ids[-1]) - created_at(turn_ids[0]) < 10_000


@pytest.mark.parametrize("name", ["", ".", "..", "-", "a/b", "a b", "a\n", "é", "x" * 129])
def test_an_ambiguous_or_long_name_is_invalid(name: str) -> None:
    assert not is_name(name)
