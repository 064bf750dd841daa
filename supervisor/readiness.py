"""Request `/readyz` of this machine's endpoint, without the proxies of the environment, which cannot reach it."""

import contextlib
import json
from http.client import HTTPConnection, HTTPException
from typing import Any

from turns.config.settings import Settings


def read_readiness(settings: Settings, *, timeout_seconds: float) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object of `/readyz`, which is empty for another answer. Raise `OSError`."""
    with contextlib.closing(HTTPConnection(settings.host, settings.port, timeout=timeout_seconds)) as connection:
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            body = json.loads(response.read())
        except HTTPException as error:
            raise ConnectionError(f"no HTTP answer: {error!r}") from error
        except ValueError:
            body = {}
    return response.status, body if isinstance(body, dict) else {}
