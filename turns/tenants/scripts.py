"""The Lua scripts of tenants, as typed methods, one for each verb."""

from collections.abc import Sequence

from turns.backend.script_loader import TENANT_VERBS
from turns.backend.script_replies import LiveCount, Reply
from turns.backend.script_runner import ScriptRunner


class TenantScripts(ScriptRunner):
    verbs = TENANT_VERBS

    def set_limits(
        self,
        tenant: str,
        *,
        concurrency: int | None = None,
        backlog: int | None = None,
        turns_per_minute: int | None = None,
        tokens_per_day: int | None = None,
        until: int | None = None,
        reason: str = "",
        set_by: str | None = None,
        max_tenants: int,
    ) -> Reply:
        """Return LIMITED, REMOVED (no limit is given), EXPIRED or TOO_MANY."""
        numbers = (concurrency, backlog, turns_per_minute, tokens_per_day, until)
        given = ["" if number is None else number for number in numbers]
        return self._outcome("set_limits", tenant, *given, reason, set_by or "", max_tenants)

    def count_tenants(self, heads: Sequence[str]) -> dict[str, LiveCount]:
        """Return the live turns of each tenant that has some of these heads."""
        reply = self._all("count_tenants", *heads)
        counts = zip(*(reply[n::4] for n in range(4)), strict=True)
        return {tenant.decode(): LiveCount(running, live, since or None) for tenant, running, live, since in counts}
