"""The request and response of access tokens."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from turns.access.access_token import MAX_SECONDS
from web.schemas.field_types import Id
from web.schemas.requests import TurnId
from web.schemas.response_model import Instant, ResponseModel

DEFAULT_SECONDS = 600


class TokenBody(BaseModel):
    """The body of `POST /v1/tokens`: what the token is bound to, and what it allows."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"user_id": "ada", "expires_in": 600}]}
    )

    user_id: Id | None = Field(None, description="all sessions of this user; with `session_id`, the session's user")
    session_id: Id | None = Field(None, description="this session alone")
    turn_id: TurnId | None = Field(None, description="this turn alone")
    scopes: Annotated[
        list[Literal["turns", "read"]] | None,
        Field(min_length=1, max_length=2, description="default: those of the two that the API key has"),
    ] = None
    expires_in: Annotated[int, Field(ge=1, le=MAX_SECONDS, description="seconds")] = DEFAULT_SECONDS


class AccessToken(ResponseModel):
    """An access token, which the service does not store."""

    token: str
    object: Literal["access_token"] = "access_token"
    user_id: str | None
    session_id: str | None
    turn_id: str | None
    scopes: tuple[str, ...]
    expires_at: Instant
