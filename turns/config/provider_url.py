"""The base URL and the API key of a model's provider: what can be sent, and what may be shown."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

ENDPOINT = "/chat/completions"
OPENAI_URL = "https://api.openai.com/v1"  # of a provider with a key and no base URL


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderUrl:
    """A base URL in parts. Only `address` may be logged: the query, as the user's password, may contain a key.

    `authorization` is the value of the `Authorization` header that OpenAI's client sends for `user:password@`, or "".
    """

    address: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: str = field(default="", repr=False)


def parse_provider_url(url: str) -> ProviderUrl:
    """Return the parts of a base URL; raise ValueError with a rule that does not quote the URL."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("must not contain spaces or line breaks")
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    parts = _split(url)
    if parts.fragment or url.endswith("#"):
        raise ValueError("must not contain #; write %23 for it")
    path = parts.path.rstrip("/")
    if path.endswith(ENDPOINT):
        raise ValueError(f"must end before {ENDPOINT}, which is appended to it")
    login, _, location = parts.netloc.rpartition("@")
    return ProviderUrl(
        address=urlunsplit((parts.scheme, location, path, "", "")),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        authorization=_basic(login) if login.strip(":") else "",
    )


def check_header_value(value: str) -> None:
    """Raise ValueError if no HTTP header can contain the value; the error does not quote it."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError("must consist of printable ASCII characters, without a line break; copy it again")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the connection does it
    except ValueError:  # also UnicodeError; its text would quote a part of the URL
        raise ValueError("must have a valid host and a port from 1 to 65535, such as http://host:8000/v1") from None
    if not host or port == 0:
        raise ValueError("must have a valid host and a port from 1 to 65535, such as http://host:8000/v1")
    return parts


def _basic(login: str) -> str:
    user, _, password = login.partition(":")
    return f"Basic {b64encode(f'{unquote(user)}:{unquote(password)}'.encode()).decode()}"
