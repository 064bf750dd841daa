"""The user and the conversation that a request names."""

from dataclasses import dataclass

from flask import Request

from turns.domain.ids import session_key
from web.http.validation import parse_id

USER = "X-InTurn-User"  # the header with the user whose sessions the request means


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
