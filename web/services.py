"""The parts of a web process, which its routes share."""

import secrets
from functools import cached_property, partial
from typing import Protocol

from turns.access.api_keys import ApiKeyStore
from turns.access.audit_log import AuditLog
from turns.access.key_record import KeyRecord
from turns.access.key_uses import KeyUses
from turns.access.remembered_keys import RememberedKeys
from turns.assistants.registry import AssistantRegistry
from turns.backend.opening import connect
from turns.backend.pubsub import Subscriptions
from turns.config.settings import Settings
from turns.conversations.conversations import Conversations
from turns.edits.copies import HistoryCopies
from turns.edits.deletion import Deletion
from turns.edits.forks import Forks
from turns.edits.placement import ForkPlacement
from turns.edits.regeneration import Regeneration
from turns.ended_turns.feed import EndedTurns
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.files.blobs import Blobs, open_blobs
from turns.files.partitioned import open_file_store
from turns.files.store import FileStore
from turns.jobs.executor import JobExecutor
from turns.jobs.failed_turns import FailedTurns
from turns.jobs.job_store import JobStore
from turns.jobs.runner import JobRunner
from turns.jobs.selection import Selector
from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from turns.pauses.pauses import Pauses
from turns.processes.record import WEB
from turns.processes.reporter import Reporter, web_process_name
from turns.retries.guard import RetryGuard
from turns.search.search import Search
from turns.session_stream.store import SessionStreamStore
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.tenants.tenants import Tenants
from turns.usage.store import UsageStore
from turns.users.erasures import UserErasures
from turns.users.runner import ErasureRunner
from web.http.parts import PartResolver
from web.http.threads import run_in_thread
from web.http.turn_requests import ResolveParts
from web.security.auth import Authenticator
from web.security.job_audit import audit_begin, audit_end
from web.streaming.connections import StreamConnections
from web.streaming.ended_feed import EndedFeed
from web.streaming.long_poll import LongPolls
from web.streaming.rendering import EventRenderer
from web.streaming.session_stream import SessionStreams
from web.streaming.single_flight import SingleFlight
from web.streaming.sse import EventStreams

# One timeout of a command and two of reconnections are less than the two seconds within which a caller gets an answer.
STORE_TIMEOUT_SECONDS = 0.6
STORE_RETRIES = 1
STORE_CONNECTIONS = 64
POOL_TIMEOUT_SECONDS = 3.0  # a burst of callers waits this long for a free connection before it gets 503


class BackgroundThread(Protocol):
    def start(self) -> None: ...


class Services:
    """Builds each part when another part or a route asks for it first, which all do while the app is created."""

    def __init__(self, settings: Settings, registry: AssistantRegistry) -> None:
        self.settings = settings
        self.registry = registry
        self._client = connect(
            settings.store_url,
            timeout_seconds=STORE_TIMEOUT_SECONDS,
            retries=STORE_RETRIES,
            max_connections=STORE_CONNECTIONS,
            pool_timeout_seconds=POOL_TIMEOUT_SECONDS,
        )

    # -- turns and sessions

    @cached_property
    def store(self) -> TurnStore:
        return open_turn_store(self._client, self.settings)

    @cached_property
    def sessions(self) -> SessionStore:
        return open_session_store(self._client, self.settings, offload=run_in_thread)

    @cached_property
    def conversations(self) -> Conversations:
        return Conversations(self.sessions, self.settings)

    @cached_property
    def _copies(self) -> HistoryCopies:
        return HistoryCopies(self._client, self.settings, run_in_thread)

    @cached_property
    def placement(self) -> ForkPlacement:
        return ForkPlacement(self._client, self.settings)

    @cached_property
    def regeneration(self) -> Regeneration:
        return Regeneration(self.store, self.sessions, self._copies, self.placement, self.registry.find)

    @cached_property
    def forks(self) -> Forks:
        return Forks(self._client, self.settings, self.store, self._copies, self.placement)

    @cached_property
    def deletion(self) -> Deletion:
        return Deletion(self.store, self._copies, self.placement)

    @cached_property
    def retries(self) -> RetryGuard:
        return RetryGuard(self._client)

    @cached_property
    def usage(self) -> UsageStore:
        return UsageStore(self._client, self.settings, offload=run_in_thread)

    @cached_property
    def erasures(self) -> UserErasures:
        return UserErasures(self._client, self.sessions, self.store, self.usage)

    # -- files

    @cached_property
    def _blobs(self) -> Blobs:
        return open_blobs(self.settings)

    @cached_property
    def files(self) -> FileStore:
        return open_file_store(self._client, self.settings, self._blobs, offload=run_in_thread)

    @cached_property
    def resolve_parts(self) -> ResolveParts:
        return PartResolver(self.files, max_bytes=self.settings.model_file_bytes).resolve

    # -- long polls and streams

    @cached_property
    def _subscriptions(self) -> Subscriptions:
        return self.store.subscriptions()

    @cached_property
    def reads(self) -> SingleFlight:
        return SingleFlight(self.store.get_turn)

    @cached_property
    def long_polls(self) -> LongPolls:
        return LongPolls(
            self.store.get_ended_turn, self.reads, self._subscriptions, max_waiters=self.settings.max_waiters
        )

    @cached_property
    def connections(self) -> StreamConnections:
        return StreamConnections(self._subscriptions, max_streams=self.settings.max_streams)

    @cached_property
    def streams(self) -> EventStreams:
        return EventStreams(self.store, self.reads, self._subscriptions, self.connections)

    @cached_property
    def session_streams(self) -> SessionStreams:
        store = SessionStreamStore(self._client, self.settings, self.store)
        return SessionStreams(store, EventRenderer(self.reads), self._subscriptions, self.connections)

    @cached_property
    def ended_feed(self) -> EndedFeed:
        return EndedFeed(EndedTurns(self._client, self.settings), self._subscriptions, self.connections)

    # -- callers

    @cached_property
    def api_keys(self) -> ApiKeyStore:
        return RememberedKeys(self._client) if self.settings.partitions else ApiKeyStore(self._client)

    @cached_property
    def _key_uses(self) -> KeyUses:
        return KeyUses(self._client)

    @cached_property
    def key_record(self) -> KeyRecord | None:
        return KeyRecord(self.settings.data_dir) if self.settings.uses_embedded_store else None

    @cached_property
    def authenticator(self) -> Authenticator:
        return Authenticator(self.api_keys, self._key_uses, requires_keys=self.settings.require_keys)

    # -- operators

    @cached_property
    def audit_log(self) -> AuditLog:
        return AuditLog(self._client)

    @cached_property
    def actions(self) -> OperatorActions:
        return OperatorActions(self._client, self.store)

    @cached_property
    def queries(self) -> OperatorQueries:
        return OperatorQueries(self._client, self.settings, replaced_at=lambda: self.reporter.replaced_at)

    @cached_property
    def search(self) -> Search:
        return Search(self._client, self.settings)

    @cached_property
    def pauses(self) -> Pauses:
        return Pauses(self._client, self.settings)

    @cached_property
    def tenants(self) -> Tenants:
        return Tenants(self._client, self.settings)

    @cached_property
    def failed(self) -> FailedTurns:
        return FailedTurns(self._client, self.store, self.registry.find)

    @cached_property
    def jobs(self) -> JobStore:
        return JobStore(self._client, self.settings)

    @cached_property
    def selector(self) -> Selector:
        return Selector(self._client)

    @cached_property
    def job_runner(self) -> JobRunner:
        executor = JobExecutor(self.jobs, self.store, self.failed)
        on_begin, on_end = partial(audit_begin, self.audit_log), partial(audit_end, self.audit_log)
        return JobRunner(self.jobs, self.selector, executor, on_begin=on_begin, on_end=on_end)

    # -- this process

    @cached_property
    def reporter(self) -> Reporter:
        name = web_process_name(secrets.token_hex(4))
        return Reporter(self.store, name, WEB, files=self._blobs.read_identity())

    @cached_property
    def background(self) -> tuple[BackgroundThread, ...]:
        erasures = ErasureRunner(self.erasures)
        return (self._subscriptions, self.long_polls, self.reporter, self.job_runner, erasures, self._key_uses)
