"""What callers and operators see of an installation."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.turns.move.conftest import Scene
from turns.access.api_keys import ApiKeyStore
from turns.access.audit_log import AuditFilter, AuditLog
from turns.assistants.registry import AssistantRegistry
from turns.domain.ids import session_key
from turns.domain.messages import Message
from turns.domain.session import Session
from turns.file_history.session_store import open_session_store
from turns.jobs.failed_turns import FailedTurns
from turns.operations.queries import OperatorQueries
from turns.pauses.pauses import Pauses
from turns.store.sessions import SessionStore
from turns.usage.report import Dimension, UsageQuery
from turns.usage.store import UsageStore
from turns.users.commands import open_erasures


def view(scene: Scene) -> dict[str, Any]:
    """Return what callers and operators see of an installation."""
    client, settings, store = scene.client, scene.settings, scene.store
    sessions = open_session_store(client, settings)
    usage, audit_log = UsageStore(client, settings), AuditLog(client)
    usage.fold()
    turns = [turn for tenant in ("-", "acme") for turn in store.list_turns(tenant=tenant, limit=100).turns]
    listed = sessions.list_sessions(after=None, limit=100).sessions
    today = datetime.now(UTC).date()
    query = UsageQuery(first_day=today - timedelta(days=1), last_day=today + timedelta(days=1), by=(Dimension.USER,))
    metrics = store.read_metrics()
    return {
        "turns": sorted(map(repr, turns)),
        "each": sorted(repr(store.get_turn(turn.id, tenant=turn.tenant)) for turn in turns),
        "of a user": sorted(turn.id for turn in store.list_turns(user_id="alice", limit=100).turns),
        "of a session": [turn.id for turn in store.list_turns(session="done-1", limit=100).turns],
        "sessions": sorted(map(repr, listed)),
        "messages": {one.session_id: repr(_messages(sessions, one)) for one in listed},
        "of users": sorted(sessions.list_user_names("alice", after="", limit=100)),
        "failed": FailedTurns(client, store, AssistantRegistry(settings).find).count_failed(),
        "usage": sorted(repr(row) for row in usage.read(query).rows),
        "counters": {name: dict(values) for name, values in metrics.counters.items() if name != "repaired"},
        "gauges": {name: metrics.gauges[name] for name in ("live_turns", "failed_turns") if name in metrics.gauges},
        "live": sorted(turn.id for turn in OperatorQueries(client, settings).read_live_turns().turns),
        "holds": [(hold.name, hold.held_turns) for hold in OperatorQueries(client, settings).read_holds()],
        "pauses": [(str(one.part), one.reason, one.waiting_turns) for one in Pauses(client, settings).read()],
        "keys": [asdict(key) for key in ApiKeyStore(client).list_all()],
        "audit": [entry.action for entry in audit_log.read(AuditFilter(), limit=100).entries],
        "erased": [str(one) for one in open_erasures(client, settings).list_tombstones()],
    }


def _messages(sessions: SessionStore, session: Session) -> Sequence[Message]:
    key = session_key(session.session_id, session.user_id)
    return sessions.list_messages(key, after=None, limit=100, newest_first=False).messages
