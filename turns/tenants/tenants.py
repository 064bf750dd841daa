"""List the tenants, and set the limits of one."""

from dataclasses import dataclass
from typing import cast

from turns.access.key_tenants import list_key_tenants
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.placement import Partitions
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest
from turns.domain.ids import DEFAULT_TENANT
from turns.tenants.activity import Activity, Moment, count_live_turns, count_recent_failures
from turns.tenants.limits import LIMITS, OwnLimits, TenantLimits
from turns.tenants.scripts import TenantScripts

MAX_OWN_LIMITS = 10_000  # tenants that can have own limits
MAX_TENANTS = 1000  # tenants that one list reads
MAX_KEYS = 2000  # API keys, the newest, whose tenants a list contains if they were active
OWN_FIELDS = (*LIMITS, "until", "reason", "set_by", "set_at")
TOO_MANY = f"would be one too many: {MAX_OWN_LIMITS} others have own limits; remove those of another tenant first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant, its activity, the limits that apply to it, and its own limits, if any."""

    name: str
    activity: Activity
    limits: TenantLimits
    own: OwnLimits | None

    @property
    def is_listed(self) -> bool:
        """Whether it has live turns, own limits, or turns accepted within a day."""
        return bool(self.activity.live_turns or self.own or self.activity.accepted_in_a_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantList:
    """Tenants, those with most live turns first; `is_complete` is false if there may be more than one call reads."""

    tenants: tuple[Tenant, ...]
    is_complete: bool


class Tenants:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._scripts = {partition: TenantScripts(partition, settings) for partition in client.partitions}
        self._partitions = Partitions.of(settings) if settings.partitions else None
        self._default = TenantLimits(
            concurrency=settings.tenant_concurrency,
            backlog=settings.tenant_backlog,
            turns_per_minute=settings.tenant_turns_per_minute,
            tokens_per_day=settings.tenant_tokens_per_day,
        )

    def list_tenants(self) -> TenantList:
        """Return the tenants that have live turns, own limits, or turns accepted within a day."""
        moment = Moment.read(self._client)
        live, are_all_heads = count_live_turns(self._client, self._scripts)
        failures = count_recent_failures(self._client, moment)
        found = dict.fromkeys(
            [
                *live,
                *self._read_limited(),
                *failures,
                DEFAULT_TENANT,
                *list_key_tenants(self._client, max_keys=MAX_KEYS),
            ]
        )
        names = list(found)[:MAX_TENANTS]
        numbers = [moment.activity_commands(name) for name in names]
        replies = self._client.execute_many([command for commands in numbers for command in commands])
        owns = self._read_own_limits(names, moment)
        step = len(replies) // len(names)
        tenants = [
            self._build(
                name, owns[name], Activity.of(live.get(name), failures.get(name, 0), replies[n * step : (n + 1) * step])
            )
            for n, name in enumerate(names)
        ]
        listed = sorted((tenant for tenant in tenants if tenant.is_listed), key=lambda t: -t.activity.live_turns)
        return TenantList(tenants=tuple(listed), is_complete=are_all_heads and len(found) <= MAX_TENANTS)

    def get_tenant(self, name: str) -> Tenant:
        """Return a tenant, also one that has done nothing so far."""
        moment = Moment.read(self._client)
        live, _ = count_live_turns(self._client, self._scripts)
        failures = count_recent_failures(self._client, moment)
        replies = self._client.execute_many(moment.activity_commands(name))
        own = self._read_own_limits([name], moment)[name]
        return self._build(name, own, Activity.of(live.get(name), failures.get(name, 0), replies))

    def set_limits(self, name: str, limits: OwnLimits) -> None:
        """Replace the tenant's own limits by these, of which it must have one. They apply at once, in all processes.

        Raises `InvalidRequest` if the time at which they end is not in the future, or if too many tenants have own
        limits.
        """
        outcome = self._scripts_of(name).set_limits(name, **limits.to_arguments(), max_tenants=MAX_OWN_LIMITS)
        if outcome is Reply.EXPIRED:
            raise InvalidRequest("until", "must be in the future")
        if outcome is Reply.TOO_MANY:
            raise InvalidRequest("tenant", TOO_MANY)

    def remove_limits(self, name: str) -> None:
        """Let the default limits apply to the tenant, at once."""
        self._scripts_of(name).set_limits(name, max_tenants=MAX_OWN_LIMITS)

    def _scripts_of(self, name: str) -> TenantScripts:
        """Return the scripts of the partition of the tenant. Raises `InvalidRequest` if it is in many."""
        number = self._partitions.of_tenant(name) if self._partitions else 0
        if number is None:
            raise InvalidRequest("tenant", "cannot have own limits in a Redis Cluster without INTURN_PLACEMENT=tenant")
        return self._scripts[self._client.partitions[number]]

    def _build(self, name: str, own: OwnLimits | None, activity: Activity) -> Tenant:
        limits = own.apply_to(self._default) if own else self._default
        return Tenant(name=name, activity=activity, limits=limits, own=own)

    def _read_limited(self) -> list[str]:
        found = cast(list[bytes], self._client.zrange(keys.LIMITED.name, 0, MAX_TENANTS - 1))
        return [name.decode() for name in found]

    def _read_own_limits(self, names: list[str], moment: Moment) -> dict[str, OwnLimits | None]:
        """Return the present own limits of each tenant, None without any."""
        records = self._client.read_hashes([keys.TENANT(name) for name in names], OWN_FIELDS)
        owns = {
            name: OwnLimits.from_record(record) if "set_at" in record else None
            for name, record in zip(names, records, strict=True)
        }
        return {name: None if own and own.until and own.until <= moment.now else own for name, own in owns.items()}
