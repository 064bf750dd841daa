"""The state of a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The state of a session at one moment; `running` and `queued` are turn ids.

    `version` rises with each commit and each other change of the session. `ttl_seconds` is the time for which the idle
    session is kept, None for ever.
    """

    session_id: str
    user_id: str | None
    running: str | None
    queued: tuple[str, ...]
    message_count: int
    active_at: int | None
    version: int
    title: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_archived: bool = False
    ttl_seconds: float | None = None
    created_at: int | None = None
    forked_from: str | None = None

    @property
    def is_busy(self) -> bool:
        return bool(self.running or self.queued)
