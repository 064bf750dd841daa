"""Data URLs, in which clients of other protocols send files."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from turns.domain.errors import InvalidRequest

DATA_URL = re.compile(r"data:([\w.+/-]*)((?:;[^,;]*)*),", re.ASCII)


def read_data_url(url: str, field: str) -> tuple[bytes, str]:
    """Return the content and the media type, which may be "". Raises `InvalidRequest`."""
    found = DATA_URL.match(url)
    if found is None:
        raise InvalidRequest(field, "must be a data URL, such as data:image/png;base64,…")
    encoded = url[found.end() :]
    if not found[2].endswith(";base64"):
        return unquote_to_bytes(encoded), found[1]
    try:
        return base64.b64decode(encoded, validate=True), found[1]
    except (binascii.Error, ValueError):
        raise InvalidRequest(field, "must have valid base64 after the comma") from None
