"""The most recent session at each service, for `--continue`. The file contains names and variables, no messages."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inturn.values import TurnBody

SAVED_FIELDS = ("session_id", "user_id", "assistant", "variables")


def state_file(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "inturn" / "sessions.json"


def save_last_session(base_url: str, body: TurnBody) -> None:
    """Save the session of this turn. A disk error is ignored, because the turn itself has succeeded."""
    path = state_file(os.environ)
    session = {name: value for name, value in body.items() if name in SAVED_FIELDS and value}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({**_load(path), base_url: session}, indent=1), encoding="utf-8")
        temporary.replace(path)


def load_last_session(base_url: str) -> dict[str, Any] | None:
    session = _load(state_file(os.environ)).get(base_url)
    return session if isinstance(session, dict) else None


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
