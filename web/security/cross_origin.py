"""Protection against pages of other origins while no API key is required.

Without keys, any page that the user of this machine opens in a browser could otherwise call the service.
"""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from turns.config.settings import Settings
from turns.domain.errors import Forbidden
from web.security.auth import SAFE_METHODS

OWN_SITES = frozenset({"same-origin", "none"})  # `none`: the user typed the address
OTHER_ORIGIN = (
    "Without an API key, pages of other origins may not do this. "
    "List the origin in INTURN_CORS_ORIGINS, or create an API key."
)
FOREIGN_HOST = (
    "Without an API key, the Host header must be a loopback name. "
    "Create an API key, or set INTURN_ALLOW_OPEN_ACCESS=true."
)


class CrossOriginGuard:
    def __init__(self, settings: Settings) -> None:
        self._allowed_origins = frozenset(settings.allowed_origins)
        self._allowed_hosts = frozenset(urlsplit(origin).netloc for origin in self._allowed_origins)
        self._is_loopback_only = settings.is_loopback and not settings.allow_open_access

    def check(self, method: str, environ: Mapping[str, str]) -> None:
        """Raise `Forbidden` for requests that only a page of another origin sends.

        Programs send none of the headers that are checked, so they are not affected.
        """
        host = environ.get("HTTP_HOST", "")
        # DNS rebinding: a page's own domain can resolve to this machine, which makes the page of the same origin.
        if self._is_loopback_only and is_domain(host) and host not in self._allowed_hosts:
            raise Forbidden(FOREIGN_HOST)
        if method in SAFE_METHODS:
            return  # the browser does not let another origin read the response
        origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
        is_own = site in OWN_SITES if site else origin is None or origin.partition("://")[2] == host
        if not is_own and origin not in self._allowed_origins:
            raise Forbidden(OTHER_ORIGIN)


@lru_cache(maxsize=256)
def is_domain(host: str) -> bool:
    """Return whether a third party may own this name.

    That is so unless it is an address, has no dot, or ends in `.localhost`. A malformed name
    is treated as one of a third party.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." in name and not name.endswith(".localhost")
    return False
