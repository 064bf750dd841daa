"""The session store of a Redis Cluster: routes each call to the partition of its session."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.partition.placement import Partitions, share_limits
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.messages import Message, MessagePage, UnansweredQuestion
from turns.domain.session import Session
from turns.store.partitioned.pages import merge_pages
from turns.store.sessions import Imported, SessionPage, SessionStore

T = TypeVar("T")
CANNOT_ADOPT = "Sessions in a Redis Cluster cannot be given to another tenant: its sessions are in other partitions."


class PartitionedSessionStore(SessionStore):
    """A partition that is away raises `StoreUnavailable` for its own sessions only. Lists leave it out."""

    def __init__(self, client: Client, settings: Settings, offload: Offload = run_inline) -> None:
        """`client` is that of the home partition."""
        self._partitions = Partitions.of(settings)
        shared = share_limits(settings, self._partitions.count)
        super().__init__(client, shared, offload)
        self._stores = [SessionStore(one, shared, offload) for one in client.partitions]

    def get_session(self, session: str) -> Session:
        return self._of(session).get_session(session)

    def list_sessions(self, *, tenant: str = DEFAULT_TENANT, after: str | None, limit: int) -> SessionPage:
        """Return a page like `SessionStore.list_sessions`. It is not a snapshot of all partitions."""
        return self._merged(lambda store: store.list_sessions(tenant=tenant, after=after, limit=limit), tenant, limit)

    def list_user_sessions(
        self, user_id: str, *, tenant: str = DEFAULT_TENANT, after: str | None, limit: int
    ) -> SessionPage:
        """Return a page like `SessionStore.list_user_sessions`. It is not a snapshot of all partitions."""

        def read(store: SessionStore) -> SessionPage:
            return store.list_user_sessions(user_id, tenant=tenant, after=after, limit=limit)

        return self._merged(read, tenant, limit)

    def list_user_names(
        self, user_id: str, *, tenant: str = DEFAULT_TENANT, after: str = "", limit: int
    ) -> Sequence[str]:
        def read(store: SessionStore) -> Sequence[str]:
            return store.list_user_names(user_id, tenant=tenant, after=after, limit=limit)

        return sorted(name for names in self._gather(read) for name in names)[:limit]

    def count_turns(self, session: str) -> int:
        return self._of(session).count_turns(session)

    def patch_session(
        self,
        session_id: str,
        changes: Mapping[str, Any],
        *,
        user_id: str | None,
        tenant: str = DEFAULT_TENANT,
        if_version: int | None = None,
    ) -> Session:
        store = self._of(session_key(session_id, user_id, tenant))
        return store.patch_session(session_id, changes, user_id=user_id, tenant=tenant, if_version=if_version)

    def list_messages(self, session: str, *, after: int | None, limit: int, newest_first: bool) -> MessagePage:
        return self._of(session).list_messages(session, after=after, limit=limit, newest_first=newest_first)

    def list_unanswered(self, session: str) -> tuple[UnansweredQuestion, ...]:
        return self._of(session).list_unanswered(session)

    def import_messages(
        self, messages: Sequence[Message], *, session_id: str, user_id: str | None, tenant: str = DEFAULT_TENANT
    ) -> Imported:
        store = self._of(session_key(session_id, user_id, tenant))
        return store.import_messages(messages, session_id=session_id, user_id=user_id, tenant=tenant)

    def erase(self, session: str) -> None:
        self._of(session).erase(session)

    def count_sessions(self, *, tenant: str = DEFAULT_TENANT) -> int:
        return sum(self._gather(lambda store: store.count_sessions(tenant=tenant)))

    def adopt_all(self, *, tenant: str) -> Counter[Reply]:
        raise ConfigurationError(CANNOT_ADOPT)

    def adopt(self, session: Session, *, tenant: str) -> Reply:
        raise ConfigurationError(CANNOT_ADOPT)

    def _merged(self, read: Callable[[SessionStore], SessionPage], tenant: str, limit: int) -> SessionPage:
        one = self._partitions.of_tenant(tenant)
        if one is not None:
            return read(self._stores[one])
        pages = self._gather(read)
        sessions, after = merge_pages(
            [(page.sessions, page.after) for page in pages],
            position_of=lambda found: (found.active_at or 0, session_key(found.session_id, found.user_id, tenant)),
            limit=limit,
        )
        return SessionPage(sessions=sessions, after=after)

    def _gather(self, read: Callable[[SessionStore], T]) -> list[T]:
        """Return the results of the partitions that are not away."""
        return [*self._client.gather({n: partial(read, store) for n, store in enumerate(self._stores)}).values()]

    def _of(self, session: str) -> SessionStore:
        return self._stores[self._partitions.of_session(session)]
