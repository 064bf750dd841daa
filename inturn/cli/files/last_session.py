"""The last session at each service, so that `--continue` can go on with it. No text is kept, only names."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inturn.values import TurnBody

KEPT = ("session_id", "user_id", "assistant", "variables")


def state_file(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "inturn" / "sessions.json"


def remember(base_url: str, body: TurnBody) -> None:
    """The body's session is the last one. A disk that cannot be written stops nobody from talking."""
    path = state_file(os.environ)
    kept = {name: value for name, value in body.items() if name in KEPT and value}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({**_all(path), base_url: kept}, indent=1), encoding="utf-8")
        fresh.replace(path)


def recall(base_url: str) -> dict[str, Any] | None:
    found = _all(state_file(os.environ)).get(base_url)
    return found if isinstance(found, dict) else None


def _all(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
