"""The address of the service, the API key and the number of retries."""

import ipaddress
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from inturn.errors import ConfigurationError
from inturn.protocol.retry import RequestRetryPolicy

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_RETRIES = 4  # about eight seconds in total
CONNECT_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """Connection settings. `base_url` ends without a slash; the key is left out of the repr."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    max_retries: int = DEFAULT_RETRIES

    @classmethod
    def resolve(
        cls,
        environment: Mapping[str, str],
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        max_retries: int = DEFAULT_RETRIES,
    ) -> "ConnectionSettings":
        """Fill in missing arguments from `INTURN_URL` and `INTURN_API_KEY`. Raise `ConfigurationError`."""
        url = base_url or environment.get("INTURN_URL") or DEFAULT_URL
        key = api_key or environment.get("INTURN_API_KEY") or None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"The URL must be like {DEFAULT_URL} (it is {url!r}).")
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ConfigurationError("The API key must be printable ASCII without spaces.")
        return cls(base_url=url.rstrip("/"), api_key=key, max_retries=max_retries)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    @property
    def is_loopback(self) -> bool:
        """Whether the service is on this machine, where a proxy from the environment could not reach it."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def retry_policy(self) -> RequestRetryPolicy:
        return RequestRetryPolicy(max_retries=self.max_retries, random=random.random, clock=time.monotonic)
