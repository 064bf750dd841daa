"""The limits of a tenant: those of the settings, and those that an operator has set for it."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLimits:
    """The limits that apply to a tenant. 0 means unlimited, which the backlog cannot be."""

    concurrency: int
    backlog: int
    turns_per_minute: int
    tokens_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimits:
    """The limits that an operator sets for one tenant; None for those that are not set, to which the default applies.

    They end at `until` (ms) unless it is None. `set_by` is the id of an API key, None on a service without keys.
    """

    concurrency: int | None = None
    backlog: int | None = None
    turns_per_minute: int | None = None
    tokens_per_day: int | None = None
    until: int | None = None
    reason: str = ""
    set_by: str | None = None
    set_at: int = 0

    @classmethod
    def from_record(cls, record: dict[str, str]) -> Self:
        numbers = {name: int(record[name]) for name in (*LIMITS, "until", "set_at") if name in record}
        return cls(reason=record.get("reason", ""), set_by=record.get("set_by") or None, **numbers)

    def to_arguments(self) -> dict[str, Any]:
        """Return the arguments of the script that sets these limits, at its own time."""
        arguments = asdict(self)
        del arguments["set_at"]
        return arguments

    def apply_to(self, default: TenantLimits) -> TenantLimits:
        """Return the limits of the tenant, given the default ones."""
        own = {name: getattr(self, name) for name in LIMITS}
        return TenantLimits(**{name: getattr(default, name) if own[name] is None else own[name] for name in LIMITS})


LIMITS = tuple(field.name for field in fields(TenantLimits))  # the names of the limits
