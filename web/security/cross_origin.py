"""Pages of other origins: where no key is asked for, any page in the browser of whoever runs this could call it."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from turns.config.settings import Settings
from turns.domain.errors import Forbidden
from web.security.auth import READING

OWN_SITES = frozenset({"same-origin", "none"})  # the page's own, and what the user typed
PAGE = "Without an API key, no page of another origin may do this: list it in INTURN_CORS_ORIGINS, or make a key."
NAME = (
    "Without an API key, this service goes by names of this machine alone: make a key, or set INTURN_ALLOW_OPEN_ACCESS."
)


class CrossOriginGuard:
    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset(settings.allowed_origins)
        self._names = frozenset(urlsplit(origin).netloc for origin in self._allowed)
        self._is_for_this_machine = settings.is_loopback and not settings.allow_open_access

    def check(self, method: str, environ: Mapping[str, str]) -> None:
        """Raises `Forbidden` for what only a page of another origin asks; programs send none of these headers."""
        host = environ.get("HTTP_HOST", "")
        # Else a page could have its own name lead to this machine, and be of the same origin ("DNS rebinding").
        if self._is_for_this_machine and is_domain(host) and host not in self._names:
            raise Forbidden(NAME)
        if method in READING:
            return  # what comes back, the browser shows to no other origin
        origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
        is_own = site in OWN_SITES if site else origin is None or urlsplit(origin).netloc == host
        if not is_own and origin not in self._allowed:
            raise Forbidden(PAGE)


@lru_cache(maxsize=256)
def is_domain(host: str) -> bool:
    """Somebody may own this name: it is no address, has a dot, and is not below `localhost`."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." in name and not name.endswith(".localhost")
    return False
