"""Regenerate: answer the question of an earlier turn again, or a new version of the question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from turns.domain.assistant import Assistant, Lane
from turns.domain.errors import TurnNotCommitted
from turns.domain.turn import OnBusy, Turn, TurnRequest
from turns.store.acceptance import Accepted
from turns.store.turns import TurnStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The values that differ from those of the regenerated turn; None leaves a value as it is.

    With another assistant, the variables of the earlier turn do not count.
    """

    input: str | None = None
    assistant: str | None = None
    variables: Mapping[str, str] | None = None
    metadata: Mapping[str, str] | None = None
    lane: Lane | None = None
    on_busy: OnBusy = OnBusy.ENQUEUE
    start_within_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The request that asks for an edit: its tenant, its keys and ids, and the version that the session must have."""

    tenant: str
    idempotency_key: str | None = None
    request_id: str | None = None
    key_id: str | None = None
    traceparent: str | None = None
    if_version: int | None = None


class Regeneration:
    """`find` returns an assistant by its name, or raises `AssistantNotFound`."""

    def __init__(self, store: TurnStore, find: Callable[[str], Assistant]) -> None:
        self._store = store
        self._find = find

    def regenerate(self, turn_id: str, changes: Changes, origin: Origin) -> Accepted:
        """Accept a turn that replaces the messages of the last committed turn of its session when it commits itself.

        Until then, and if it does not commit, they stay. Raises `TurnNotCommitted`, `TurnNotLast`, or like
        `TurnStore.get_turn` and `TurnStore.accept`.
        """
        earlier = self._store.get_turn(turn_id, tenant=origin.tenant)
        if not earlier.status.is_terminal:
            raise TurnNotCommitted
        return self._store.accept(self._to_request(earlier, changes, origin))

    def _to_request(self, earlier: Turn, changes: Changes, origin: Origin) -> TurnRequest:
        assistant = self._find(changes.assistant or earlier.assistant)
        variables = changes.variables
        if variables is None:
            variables = earlier.variables if assistant.name == earlier.assistant else {}
        assistant.check_variables(variables)
        parts = earlier.parts if changes.input is None else ()
        assistant.check_parts(parts)
        return TurnRequest(
            session_id=earlier.session_id,
            user_id=earlier.user_id,
            tenant=origin.tenant,
            input=earlier.input if changes.input is None else changes.input,
            parts=parts,
            assistant=assistant,
            variables=variables,
            metadata=earlier.metadata if changes.metadata is None else changes.metadata,
            lane=changes.lane or earlier.lane,
            on_busy=changes.on_busy,
            start_within_seconds=changes.start_within_seconds,
            regenerates=earlier.id,
            response_format=earlier.response_format,
            idempotency_key=origin.idempotency_key,
            traceparent=origin.traceparent,
            request_id=origin.request_id,
            key_id=origin.key_id,
            if_version=origin.if_version,
        )
