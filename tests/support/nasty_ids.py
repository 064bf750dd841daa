"""Ids of sessions and users that are valid, and that careless code would cut, decode, match or display wrongly."""

NASTY_IDS = (
    "alice@example.com",
    "auth0|abc",
    "urn:x:y",
    "https://idp.example/u?a=b&c=d#e",
    "a/b",
    "a/messages",
    "../../x",
    "/",
    "%41",
    "%2F",
    "*",
    "[a-z]?",
    "{x}",
    "-",
    "a+b",
    "<i>x</i>\"'\\",
    "Łódź-日本-مرحبا-🌈",
    "x" * 255,
    "🌈" * 128,
)
