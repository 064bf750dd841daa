"""The turn store of a Redis Cluster: routes each verb to the partition of its turn or session."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.each import attempt_each, call_available, call_each
from turns.backend.partition.placement import Partitions, share_limits
from turns.backend.partition.subscriptions import PartitionedSubscriptions
from turns.backend.partition.tags import HOME
from turns.backend.pubsub import Subscriptions
from turns.backend.request_fields import files_of
from turns.backend.script_replies import Reply, StoreIdentity
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import StoreUnavailable
from turns.domain.events import TurnEvent
from turns.domain.ids import DEFAULT_TENANT, is_turn_id
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim, Delta
from turns.domain.run.retry import Retry
from turns.domain.run.spending import Spending
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.acceptance import Accepted
from turns.store.metrics import Metrics
from turns.store.partitioned.file_loans import FileLoans
from turns.store.partitioned.identity import identify_partitions
from turns.store.partitioned.pages import merge_pages
from turns.store.partitioned.rescue import PartitionedRescue
from turns.store.turns import NOTHING, TurnPage, TurnStore

T = TypeVar("T")
SILENT_SECONDS = 1.0  # shorter than the fail-over to a replica takes


class PartlyEmitted(StoreUnavailable):
    """Some partitions are away. `stopped` is the result of the others, `unsent` are the turns without their pieces."""

    def __init__(self, stopped: Sequence[tuple[str, Reply]], unsent: Set[str]) -> None:
        super().__init__("a part of the store cannot be reached")
        self.stopped = stopped
        self.unsent = unsent


class PartitionedTurnStore(TurnStore):
    """Registers workers in the home partition, which is also that of turn ids which no partition has made.

    A partition that is away raises `StoreUnavailable` for its own turns only. Lists leave it out.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        """`client` is that of the home partition."""
        self._partitions = Partitions.of(settings)
        shared = share_limits(settings, self._partitions.count)
        super().__init__(client, shared)
        self._stores = [TurnStore(one, shared) for one in client.partitions]
        self._loans = FileLoans(client.partitions, settings, self._partitions)
        self._clock = time.monotonic
        self._silent_until: dict[int, float] = {}
        self._rescue = PartitionedRescue(client, self._stores)

    # -- for callers

    def accept(self, request: TurnRequest) -> Accepted:
        number = self._partitions.of_session(request.session)
        if request.parts or request.past:
            self._loans.borrow(files_of(request), number)
        return self._stores[number].accept(request)

    def get_turn(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn:
        return self._of(turn_id).get_turn(turn_id, tenant=tenant)

    def get_ended_turn(self, turn_id: str, *, tenant: str = DEFAULT_TENANT) -> Turn | None:
        return self._of(turn_id).get_ended_turn(turn_id, tenant=tenant)

    def cancel(self, turn_id: str, *, tenant: str = DEFAULT_TENANT, keeps: bool = False) -> Turn:
        return self._of(turn_id).cancel(turn_id, tenant=tenant, keeps=keeps)

    def list_turns(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        session: str | None = None,
        user_id: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        limit: int,
    ) -> TurnPage:
        """Return a page like `TurnStore.list_turns`, without partitions that are away. It is not a snapshot of all."""
        one = self._partitions.of_tenant(tenant) if session is None else self._partitions.of_session(session)
        call = partial(
            TurnStore.list_turns,
            tenant=tenant,
            session=session,
            user_id=user_id,
            status=status,
            after=after,
            limit=limit,
        )
        if one is not None:
            return call(self._stores[one])
        pages = self._client.gather({n: partial(call, store) for n, store in enumerate(self._stores)}).values()
        turns, after = merge_pages(
            [(page.turns, page.after) for page in pages],
            position_of=lambda turn: (turn.accepted_at, turn.id),
            limit=limit,
        )
        return TurnPage(turns=turns, after=after)

    def read_events(self, turn_id: str, *, after: str) -> list[TurnEvent]:
        return self._of(turn_id).read_events(turn_id, after=after)

    def last_event_id(self, turn_id: str) -> str:
        return self._of(turn_id).last_event_id(turn_id)

    def read_metrics(self) -> Metrics:
        call_each([store._refusals.flush for store in self._stores if store._refusals.has_pending])
        return super().read_metrics()

    def subscriptions(self) -> Subscriptions:
        return PartitionedSubscriptions(self._client, self._partitions)

    # -- for workers

    def claim(self, turn_id: str, *, worker: str, model: str = "", fallback_model: str = "") -> Claim | None:
        return self._of(turn_id).claim(turn_id, worker=worker, model=model, fallback_model=fallback_model)

    def renew(self, claims: Sequence[Claim]) -> list[tuple[str, Reply]]:
        """Renew in all partitions that can be reached; the leases in others may run out."""
        groups = self._partitions.group(claims)
        return _flat(call_available([partial(self._stores[n].renew, group) for n, group in groups.items()]))

    def emit(self, pieces: Sequence[Delta]) -> list[tuple[str, Reply]]:
        """Append the pieces, each once, also if the call is repeated. Raises `PartlyEmitted` if a partition is away.

        A partition that did not answer gets no pieces for a moment, so that those of the others need not wait for it.
        """
        groups, now = self._group(pieces), self._clock()
        asked = [n for n in groups if len(groups) == 1 or self._silent_until.get(n, 0.0) <= now]
        replies = attempt_each([partial(self._stores[n].emit, groups[n]) for n in asked])
        away = [n for n, reply in zip(asked, replies, strict=True) if isinstance(reply, StoreUnavailable)]
        self._silent_until |= dict.fromkeys(away, self._clock() + SILENT_SECONDS)
        stopped = _flat([reply for reply in replies if not isinstance(reply, StoreUnavailable)])
        if unsent := {piece.turn_id for n in {*groups} - {*asked} | {*away} for piece in groups[n]}:
            raise PartlyEmitted(stopped, unsent)
        return stopped

    def commit(
        self,
        claim: Claim,
        answer: Answer,
        *,
        tail: str,
        keeps_events: bool = True,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        self._of(claim.turn_id).commit(
            claim,
            answer,
            tail=tail,
            keeps_events=keeps_events,
            provider_request_id=provider_request_id,
            spending=spending,
        )
        if claim.is_admitted and claim.is_probe:  # the answers of those that it admits tell nothing new
            self._report_hold(claim)

    def interrupt(
        self, claim: Claim, answer: Answer, *, tail: str, keeps_events: bool = True, spending: Spending = NOTHING
    ) -> None:
        self._of(claim.turn_id).interrupt(claim, answer, tail=tail, keeps_events=keeps_events, spending=spending)

    def fail(
        self,
        claim: Claim,
        code: Code,
        *,
        provider_status: int | None = None,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        self._of(claim.turn_id).fail(
            claim,
            code,
            provider_status=provider_status,
            provider_request_id=provider_request_id,
            spending=spending,
        )

    def retry(
        self,
        claim: Claim,
        code: Code,
        decision: Retry,
        *,
        model: str,
        provider_request_id: str | None = None,
        spending: Spending = NOTHING,
    ) -> None:
        """Queue the turn for a retry. A hold that it opens is brought to the other partitions by the coordinator."""
        self._of(claim.turn_id).retry(
            claim, code, decision, model=model, provider_request_id=provider_request_id, spending=spending
        )
        if decision.hold:
            self._report_hold(claim)

    def reopen(self, claim: Claim) -> None:
        self._of(claim.turn_id).reopen(claim)

    def lift_hold(self, name: str) -> bool:
        return any(self._each(lambda store: store.lift_hold(name)))

    def record_silence(self, claim: Claim, *, is_silent: bool, since_seconds: float) -> None:
        self._of(claim.turn_id).record_silence(claim, is_silent=is_silent, since_seconds=since_seconds)

    def release(self, turn_id: str, *, token: str = "", spending: Spending = NOTHING) -> None:
        self._of(turn_id).release(turn_id, token=token, spending=spending)

    def rescue(self, *, worker: str, hint: str, slots: int = 0) -> list[tuple[str, Reply]]:
        """Rescue in all partitions that can be reached; if there are many workers, in a part of them."""
        return self._rescue.rescue(worker=worker, hint=hint, slots=slots)

    def rescue_worker(self, worker: str, *, is_forced: bool = False) -> list[tuple[str, Reply]]:
        """Take all turns away from a worker. Only the home partition knows whether it still has its subscription."""
        [(_, connections)] = self._client.pubsub_numsub(keys.CONNECTION(worker))
        if connections and not is_forced:
            return []
        return _flat(self._each(lambda store: store.rescue_worker(worker, is_forced=is_forced)))

    def repair(self, *, worker: str) -> Iterator[tuple[str, Reply]]:
        for store in self._stores:
            with suppress(StoreUnavailable):  # those of a partition that is away are repaired when it is back
                yield from store.repair(worker=worker)

    def is_drained(self, worker: str) -> bool:
        """Ask the home partition like `TurnStore.is_drained`, but seldom while it is away, so that rescues go on."""
        return self._client.gather({HOME: partial(self._stores[HOME].is_drained, worker)})[HOME]

    def remove_worker(self, worker: str) -> None:
        self._each(lambda store: store.remove_worker(worker))

    def report_process(
        self, process: str, *, kind: str, proposed_id: str, needs_keys: bool, fields: Mapping[str, str]
    ) -> StoreIdentity:
        home = super().report_process(process, kind=kind, proposed_id=proposed_id, needs_keys=needs_keys, fields=fields)
        return replace(home, partitions=identify_partitions(self._client, home, proposed_id=proposed_id))

    def _report_hold(self, claim: Claim) -> None:
        """Report that this run has changed a hold: an admitted one has, and of many that fail at once the first one."""
        partition = self._client.find_partition(claim.turn_id)
        self.hold_news.report(claim.hold_name, partition, is_sure=claim.is_admitted)

    def _of(self, turn_id: str) -> TurnStore:
        return self._stores[self._client.find_partition(turn_id) if is_turn_id(turn_id) else 0]

    def _group(self, pieces: Sequence[Delta]) -> dict[int, list[Delta]]:
        """Return the pieces by the partition of their turn."""
        groups: dict[int, list[Delta]] = {}
        for piece in pieces:
            groups.setdefault(self._client.find_partition(piece.turn_id), []).append(piece)
        return groups

    def _each(self, call: Callable[[TurnStore], T]) -> list[T]:
        """Return the results of the partitions that can be reached."""
        return call_available([partial(call, store) for store in self._stores])


def _flat(groups: Sequence[Sequence[tuple[str, Reply]]]) -> list[tuple[str, Reply]]:
    return [outcome for group in groups for outcome in group]
