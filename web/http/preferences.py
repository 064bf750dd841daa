"""The request header `Prefer` (RFC 7240). Preferences that are not understood are ignored."""

import re

from web.schemas.queries import MAX_WAIT_SECONDS

WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?=$|[,;])', re.IGNORECASE)


def preferred_wait(header: str) -> int | None:
    """Return the preferred wait in seconds, at most `MAX_WAIT_SECONDS`; None without a preference."""
    found = WAIT.search(header)
    return min(MAX_WAIT_SECONDS, int(found[1])) if found else None
