"""Lists and changes of sessions over the partitions of a Redis Cluster."""

import builtins
from collections.abc import Mapping
from functools import partial
from typing import Any

from turns.backend.client import Client
from turns.backend.partition.each import call_each
from turns.backend.partition.placement import Partitions
from turns.config.settings import Settings
from turns.conversations.conversations import Conversations, SessionCount
from turns.conversations.session_filter import SessionFilter
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.turn import Session
from turns.store.partitioned.pages import merge_pages
from turns.store.sessions import SessionPage


def open_conversations(client: Client, settings: Settings) -> Conversations:
    """Return the conversations of the store that `REDIS_URL` names."""
    return (PartitionedConversations if settings.partitions else Conversations)(client, settings)


class PartitionedConversations(Conversations):
    def __init__(self, client: Client, settings: Settings) -> None:
        super().__init__(client, settings)
        self._partitions = Partitions.of(settings)
        self._all = [Conversations(one, settings) for one in client.partitions]

    def patch(
        self,
        session_id: str,
        changes: Mapping[str, Any],
        *,
        user_id: str | None = None,
        tenant: str = DEFAULT_TENANT,
        if_version: int | None = None,
    ) -> Session:
        one = self._all[self._partitions.of_session(session_key(session_id, user_id, tenant))]
        return one.patch(session_id, changes, user_id=user_id, tenant=tenant, if_version=if_version)

    def list(
        self,
        wanted: SessionFilter,
        *,
        tenant: str = DEFAULT_TENANT,
        user_id: str | None = None,
        after: str | None = None,
        limit: int,
    ) -> SessionPage:
        """Return a page like `Conversations.list`. It is not a snapshot of all partitions."""
        stores = self._of_tenant(tenant)
        pages = call_each(
            [partial(one.list, wanted, tenant=tenant, user_id=user_id, after=after, limit=limit) for one in stores]
        )
        sessions, cursor = merge_pages(
            [(page.sessions, page.after) for page in pages],
            position_of=lambda found: (found.active_at or 0, session_key(found.session_id, found.user_id, tenant)),
            limit=limit,
        )
        return SessionPage(sessions=sessions, after=cursor)

    def count(self, wanted: SessionFilter, *, tenant: str = DEFAULT_TENANT, user_id: str | None = None) -> SessionCount:
        counts = call_each(
            [partial(one.count, wanted, tenant=tenant, user_id=user_id) for one in self._of_tenant(tenant)]
        )
        return SessionCount(sum(one.count for one in counts), is_exact=all(one.is_exact for one in counts))

    def _of_tenant(self, tenant: str) -> builtins.list[Conversations]:
        number = self._partitions.of_tenant(tenant)
        return self._all if number is None else [self._all[number]]
