"""The requests of `inturn keys`."""

from typing import Any, cast

import pytest

from inturn.cli.operator.keys import _create_once, _list_keys, _revoke, _rotate_once
from inturn.client import Client
from inturn.errors import KeyExists

ID = "0123456789ab"


class Operator:
    """Records the requests, and answers each with the next reply, or raises it."""

    def __init__(self, *replies: Any) -> None:
        self.sent: list[tuple[str, str, Any, Any]] = []
        self._replies = list(replies)

    def call(self, method: str, path: str, *, query: Any = None, body: Any = None) -> Any:
        self.sent.append((method, path, query, body))
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def as_client(self) -> Client:
        client = type("OneOperator", (), {"operator": self})()
        return cast(Client, client)


def test_a_key_whose_text_was_lost_is_revoked_and_replaced() -> None:
    operator = Operator(KeyExists("exists"), {}, {"api_key": "text"})
    assert _create_once(operator.as_client, {"tenant": "acme"}) == {"api_key": "text"}
    first, revoked, second = operator.sent
    lost, new = first[3]["id"], second[3]["id"]
    assert (first[1], revoked[1], second[1]) == ("keys", f"keys/{lost}/revoke", "keys")
    assert lost != new
    assert second[3] == {"tenant": "acme", "id": new}


def test_a_successor_whose_text_was_lost_is_rotated_at_once() -> None:
    operator = Operator(KeyExists("exists"), {"api_key": "text"})
    assert _rotate_once(operator.as_client, ID, {"overlap_seconds": 60.0}) == {"api_key": "text"}
    (_, first, _, lost), (_, second, _, new) = operator.sent
    assert (first, second) == (f"keys/{ID}/rotate", f"keys/{lost['id']}/rotate")
    assert lost["id"] != new["id"]
    assert (lost["overlap_seconds"], new["overlap_seconds"]) == (60.0, 0.0)


def test_a_key_is_created_with_one_request() -> None:
    operator = Operator({"api_key": "text"})
    _create_once(operator.as_client, {"tenant": "acme"})
    assert len(operator.sent) == 1


def test_a_second_collision_is_reported() -> None:
    operator = Operator(KeyExists("exists"), {}, KeyExists("exists"))
    with pytest.raises(KeyExists):
        _create_once(operator.as_client, {})


def test_all_pages_of_keys_are_read() -> None:
    operator = Operator(
        {"data": [{"id": "a"}], "after": 100}, {"data": [], "after": 200}, {"data": [{}], "after": None}
    )
    assert list(_list_keys(operator.as_client, "acme")) == [{"id": "a"}, {}]
    assert [query["after"] for _, _, query, _ in operator.sent] == ["0", "100", "200"]


def test_a_revocation_is_repeated_until_no_turn_is_left() -> None:
    more, last = ({"cancelled": n, "has_more": n == 500} for n in (500, 3))
    operator = Operator(more, last)
    assert _revoke(operator.as_client, ID, {"cancel": "true"}) == (last, 503)
    assert {path for _, path, _, _ in operator.sent} == {f"keys/{ID}/revoke"}
