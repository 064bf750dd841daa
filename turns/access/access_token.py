"""Access tokens, which a web page holds instead of an API key.

An API key signs them, and nothing of them is stored: a token works until it expires or its key is revoked. It is bound
to one user, session or turn.
"""

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Self

from itsdangerous import BadData, URLSafeSerializer

from turns.access.api_key import Scope
from turns.domain.ids import session_key, user_key

ACCESS_TOKEN = re.compile(r"inturn_token_([0-9a-f]{12}|open)\.([A-Za-z0-9._-]{1,4096})")
UNSIGNED = "open"  # in place of the key's id, and as the secret, while the service requires no key
MAX_SECONDS = 3600
PAGE_SCOPES = (Scope.TURNS, Scope.READ)  # no page needs more


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """`key_id`: of the key that signs. `expires_at`: seconds since the epoch.

    A token names a turn, or a session and its user if it has one, or a user and thereby all of the user's sessions.
    """

    key_id: str
    expires_at: int
    scopes: tuple[str, ...]
    user_id: str | None = None
    session_id: str | None = None
    turn_id: str | None = None

    def sign(self, secret: str) -> str:
        """Return the text of the token."""
        fields = {name: value for name, value in asdict(self).items() if value is not None and name != "key_id"}
        return f"inturn_token_{self.key_id}.{_serializer(secret).dumps(fields)}"

    @classmethod
    def verify(cls, text: str, secret: str) -> Self | None:
        """Return the token, or None if it was not signed with this secret. Whether it has expired is not checked."""
        parts = ACCESS_TOKEN.fullmatch(text)
        if parts is None:
            return None
        try:
            fields = _serializer(secret).loads(parts[2])
        except BadData:
            return None
        return cls(key_id=parts[1], **{**fields, "scopes": tuple(fields["scopes"])})

    def covers(self, turn_id: str, session: str, tenant: str) -> bool:
        """Return whether the token is bound to this turn, or to its session or user. `session` is a session key."""
        if self.turn_id:
            return turn_id == self.turn_id
        if self.session_id:
            return session == session_key(self.session_id, self.user_id, tenant)
        return self.user_id is not None and session.startswith(f"{user_key(self.user_id, tenant)}/")


def claimed_signer(text: str) -> str | None:
    """Return the id of the key that a token claims to be signed by, or `UNSIGNED`; None if it is no token."""
    parts = ACCESS_TOKEN.fullmatch(text)
    return parts[1] if parts else None


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="inturn access token", signer_kwargs={"digest_method": hashlib.sha256})
