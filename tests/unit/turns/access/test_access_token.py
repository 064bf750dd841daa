"""Access tokens: what is signed, and what a token covers."""

import pytest

from tests.support.nasty_ids import NASTY_IDS
from turns.access.access_token import ACCESS_TOKEN, AccessToken, claimed_signer
from turns.domain.ids import session_key

KEY_ID = "0123456789ab"


def make(**subject: str) -> AccessToken:
    return AccessToken(key_id=KEY_ID, expires_at=1_800_000_000, scopes=("turns",), **subject)


def test_a_token_is_what_was_signed() -> None:
    token = make(user_id="ada")
    text = token.sign("secret")
    assert ACCESS_TOKEN.fullmatch(text)
    assert claimed_signer(text) == KEY_ID
    assert AccessToken.verify(text, "secret") == token


def test_a_token_of_another_secret_is_none() -> None:
    assert AccessToken.verify(make(user_id="ada").sign("secret"), "other") is None


def test_a_token_with_any_other_character_is_none() -> None:
    text = make(user_id="ada").sign("secret")
    head = text.index(".") + 1
    for at in range(head, len(text) - 1):  # the last character of base64 has unused bits
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert AccessToken.verify(changed, "secret") is None, at


@pytest.mark.parametrize("text", ["", "inturn_token_", f"inturn_token_{KEY_ID}.", f"inturn_{KEY_ID}_{'x' * 43}", "é"])
def test_other_text_is_no_token(text: str) -> None:
    assert claimed_signer(text) is None
    assert AccessToken.verify(text, "secret") is None


@pytest.mark.parametrize("name", NASTY_IDS)
def test_a_token_covers_the_sessions_of_its_user(name: str) -> None:
    token = make(user_id=name)
    assert token.covers("turn_1", session_key("s", name, "acme"), "acme")
    assert not token.covers("turn_1", session_key("s", f"{name}x", "acme"), "acme")
    assert not token.covers("turn_1", session_key("s", None, "acme"), "acme")
    assert not token.covers("turn_1", session_key(name, None, "acme"), "acme")


@pytest.mark.parametrize("name", NASTY_IDS)
def test_a_token_covers_its_session_alone(name: str) -> None:
    for user_id in (None, "ada"):
        token = make(session_id=name, **({"user_id": user_id} if user_id else {}))
        assert token.covers("turn_1", session_key(name, user_id, "acme"), "acme")
        assert not token.covers("turn_1", session_key(name, "bob", "acme"), "acme")
        assert not token.covers("turn_1", session_key(f"{name}x", user_id, "acme"), "acme")


def test_a_token_covers_its_turn_alone() -> None:
    token = make(turn_id="turn_1")
    assert token.covers("turn_1", "any", "acme")
    assert not token.covers("turn_2", "any", "acme")
