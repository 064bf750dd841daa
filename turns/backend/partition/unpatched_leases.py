"""Lease renewal in the partitions of a Redis Cluster, over connections that gevent does not patch."""

from collections.abc import Sequence
from typing import Any

from turns.backend.address import parse_store_url
from turns.backend.cluster.unpatched_nodes import UnpatchedNodes
from turns.backend.partition.names import PartitionNames
from turns.backend.partition.placement import Partitions, share_limits
from turns.backend.partition.rendering import render_in_partition
from turns.backend.partition.tags import hash_tags, slot_of
from turns.backend.script_replies import Reply, to_outcomes
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.run.claim import Claim


class PartitionedLeaseClient:
    """The verbs of `UnpatchedLeaseClient`; a partition that is away delays no other one."""

    def __init__(self, settings: Settings) -> None:
        self._partitions = Partitions.of(settings)
        self._texts = render_in_partition(("renew", "release"), share_limits(settings, self._partitions.count))
        self._nodes = UnpatchedNodes(parse_store_url(settings.store_url), timeout_seconds=settings.renew_seconds / 2)

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """Renew the leases of these claims where the store can be reached. Raises `StoreUnavailable` if nowhere."""
        groups = self._partitions.group(claims)
        outcomes: list[tuple[str, Reply]] = []
        problems: list[StoreUnavailable] = []
        for number, group in groups.items():
            leases = [part for claim in group for part in (claim.turn_id, claim.token)]
            try:
                outcomes += to_outcomes(self._run("renew", number, *leases))
            except StoreUnavailable as error:
                problems.append(error)
        if problems and len(problems) == len(groups):
            raise problems[0]
        return outcomes

    def release(self, claims: Sequence[Claim]) -> None:
        """Queue the turns of these claims again at once. Raises `StoreUnavailable`."""
        problem: StoreUnavailable | None = None
        for claim in claims:
            try:
                self._run("release", self._partitions.of_session(claim.session), claim.turn_id, claim.token)
            except StoreUnavailable as error:
                problem = error
        if problem:
            raise problem

    def close(self) -> None:
        self._nodes.close()

    def _run(self, verb: str, partition: int, *arguments: str) -> Any:
        names = PartitionNames(hash_tags(self._partitions.count)[partition])
        declared = names.declared
        return self._nodes.run_script(slot_of(names.prefix), self._texts[verb], len(declared), *declared, *arguments)
