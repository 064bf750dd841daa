"""Where the service is, and what every request to it carries."""

import ipaddress
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from inturn.errors import ConfigurationError
from inturn.protocol.retry import Persistence

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_RETRIES = 4  # about eight seconds in all
CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`base_url` ends without a slash. The key is in no repr."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    max_retries: int = DEFAULT_RETRIES

    @classmethod
    def of(
        cls, environment: Mapping[str, str], *, base_url: str | None, api_key: str | None, max_retries: int
    ) -> "Connection":
        """What is not given is taken from `INTURN_URL` and `INTURN_API_KEY`. Raises `ConfigurationError`."""
        url = base_url or environment.get("INTURN_URL") or DEFAULT_URL
        key = api_key or environment.get("INTURN_API_KEY") or None
        where = urlsplit(url)
        if where.scheme not in {"http", "https"} or not where.hostname:
            raise ConfigurationError(f"The URL must be like {DEFAULT_URL} (it is {url!r}).")
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ConfigurationError("The key must be printable ASCII without spaces.")
        return cls(base_url=url.rstrip("/"), api_key=key, max_retries=max_retries)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    @property
    def is_loopback(self) -> bool:
        """A proxy that the environment names would look for the service on its own machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def persistence(self) -> Persistence:
        return Persistence(max_retries=self.max_retries, chance=random.random, clock=time.monotonic)
