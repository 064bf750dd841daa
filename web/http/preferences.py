"""The `Prefer` header (RFC 7240): what it asks for is done if possible, and never an error."""

import re

from web.schemas.requests import MAX_WAIT_SECONDS

WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?=$|[,;])', re.IGNORECASE)


def preferred_wait(header: str) -> int | None:
    """Seconds, at most as many as are allowed; None where nothing is preferred."""
    found = WAIT.search(header)
    return min(MAX_WAIT_SECONDS, int(found[1])) if found else None
