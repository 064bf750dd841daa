"""The present activity of tenants, from bounded reads of indexes that exist anyway; a turn costs nothing more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import LiveCount
from turns.tenants.scripts import TenantScripts

RECENT_SECONDS = 300  # the period of recent numbers, as of those of the whole service
DAY_MS = 86_400_000
MAX_HEADS = 10_000  # heads of a partition that are counted, those due next: as many as can be live by default
HEADS_PER_CALL = 250  # so that the script takes about two milliseconds
MAX_FAILURES = 10_000  # failed turns, the latest, that are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The present activity of a tenant. Times in ms.

    `waiting_turns` are live and do not run. `accepted_per_minute` and `failed_turns` are those of the last
    `RECENT_SECONDS`; failed turns count until they are retried or discarded. `counted_tokens` are those of this UTC day
    that count against a limit of tokens; None without such a limit.
    """

    live_turns: int
    running_turns: int
    waiting_since: int | None
    accepted_per_minute: float
    accepted_in_a_day: int
    failed_turns: int
    counted_tokens: int | None

    @property
    def waiting_turns(self) -> int:
        return self.live_turns - self.running_turns

    @classmethod
    def of(cls, live: LiveCount | None, failures: int, replies: Sequence[Any]) -> Self:
        """Return the activity, given the replies to `Moment.activity_commands`."""
        accepted, accepted_in_a_day, tokens = replies
        return cls(
            live_turns=live.live if live else 0,
            running_turns=live.running if live else 0,
            waiting_since=live.waiting_since if live else None,
            accepted_per_minute=accepted * 60 / RECENT_SECONDS,
            accepted_in_a_day=accepted_in_a_day,
            failed_turns=failures,
            counted_tokens=int(tokens) if tokens else None,
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """The time (ms) of the store's clock at which numbers are read."""

    now: int

    @classmethod
    def read(cls, client: Client) -> Self:
        seconds, microseconds = client.time()
        return cls(seconds * 1000 + microseconds // 1000)

    @property
    def recent_since(self) -> int:
        return self.now - RECENT_SECONDS * 1000

    def activity_commands(self, tenant: str) -> list[tuple[str | int, ...]]:
        """Return the commands that read what is stored by tenant."""
        turns = keys.TURNS(tenant)
        return [
            ("ZCOUNT", turns, self.recent_since, "+inf"),
            ("ZCOUNT", turns, self.now - DAY_MS, "+inf"),
            ("GET", keys.TOKENS(f"{tenant}:{self.now // DAY_MS}")),
        ]


def count_live_turns(
    client: Client, partitions: Mapping[Client, TenantScripts]
) -> tuple[Mapping[str, LiveCount], bool]:
    """Return the live turns by tenant, those with most of them first, and whether all heads were counted."""
    counts = client.gather({n: partial(_count_in, *one) for n, one in enumerate(partitions.items())})
    total: dict[str, LiveCount] = {}
    for tenant, count in (item for found, _ in counts.values() for item in found):
        total[tenant] = total[tenant] + count if tenant in total else count
    ordered = sorted(total, key=lambda tenant: -total[tenant].live)
    return {tenant: total[tenant] for tenant in ordered}, all(is_complete for _, is_complete in counts.values())


def _count_in(partition: Client, scripts: TenantScripts) -> tuple[Sequence[tuple[str, LiveCount]], bool]:
    """Return the live turns of a partition by tenant, of some of them several counts, and whether those are all."""
    found = cast(list[bytes], partition.zrange(keys.DUE.name, 0, MAX_HEADS))
    heads = [turn.decode() for turn in found[:MAX_HEADS]]
    parts = [heads[first : first + HEADS_PER_CALL] for first in range(0, len(heads), HEADS_PER_CALL)]
    counts = [item for part in parts for item in scripts.count_tenants(part).items()]
    return counts, len(found) <= MAX_HEADS


def count_recent_failures(client: Client, moment: Moment) -> Mapping[str, int]:
    """Return the number of turns by tenant that have failed recently and are not resolved."""
    members = cast(
        list[bytes], client.zrevrangebyscore(keys.FAILED.name, "+inf", moment.recent_since, start=0, num=MAX_FAILURES)
    )
    return Counter(member.decode().partition("/")[0] for member in members)
