"""The parts of the service that the routes of the protocol share."""

from dataclasses import dataclass

from flask import Request

from turns.assistants.registry import AssistantRegistry
from turns.conversations.conversations import Conversations
from turns.domain.ids import session_key
from turns.edits.deletion import Deletion
from turns.edits.forks import Forks
from turns.edits.placement import ForkPlacement
from turns.files.store import FileStore
from turns.retries.guard import RetryGuard
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.http.validation import ResolveParts, parse_id
from web.security.auth import Authenticator
from web.streaming.long_poll import LongPolls
from web.streaming.sse import EventStreams

USER = "X-InTurn-User"  # the header with the user whose sessions the request means


@dataclass(frozen=True, kw_only=True)
class Services:
    """`max_file_bytes` is the size of all files of one request to a model."""

    store: TurnStore
    sessions: SessionStore
    conversations: Conversations
    forks: Forks
    deletion: Deletion
    streams: EventStreams
    long_polls: LongPolls
    authenticator: Authenticator
    registry: AssistantRegistry
    resolve_parts: ResolveParts
    files: FileStore
    retries: RetryGuard
    placement: ForkPlacement
    max_input_bytes: int
    max_file_bytes: int


def read_user(request: Request) -> str | None:
    """Return the user that a client names for all of its requests. Raises `InvalidRequest`."""
    user_id = request.headers.get(USER)
    return None if user_id is None else parse_id(USER, user_id)


@dataclass(frozen=True)
class ConversationName:
    """A conversation of a tenant: the session of this id, and of this user if there is one."""

    id: str
    user_id: str | None
    tenant: str

    @property
    def session(self) -> str:
        return session_key(self.id, self.user_id, self.tenant)
