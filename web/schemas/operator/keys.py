"""The requests and responses of API keys. Only `CreatedApiKey` contains a secret."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from turns.access import api_key as domain
from turns.access.api_key import KEY_ID, LABEL_RULE, MAX_LABEL_CHARACTERS, KeyState, is_label
from turns.domain.ids import DEFAULT_TENANT, NAME, NAME_RULE, is_name
from turns.operations.key_turns import Cancellation
from web.schemas.queries import CancelQuery, Limit, Query, Tenant
from web.schemas.response_model import Instant, ResponseModel

MAX_LIFETIME_SECONDS = 10 * 366 * 24 * 3600
MAX_OVERLAP_SECONDS = 90 * 24 * 3600
DAY_SECONDS = 24 * 3600


def _tenant(value: str) -> str:
    if not (is_name(value) or value == DEFAULT_TENANT):
        raise PydanticCustomError("rule", NAME_RULE)
    return value


def _label(value: str) -> str:
    if not is_label(value):
        raise PydanticCustomError("rule", LABEL_RULE)
    return value


KeyId = Annotated[str, Field(pattern=f"^{KEY_ID.pattern}$")]
NewKeyId = Annotated[
    KeyId | None,
    Field(description="chosen by the caller, so that a repeated request creates no second key; default: a random one"),
]
KnownScope = Literal["turns", "read", "operator", "observer", "admin"]
NewTenant = Annotated[str, AfterValidator(_tenant), Field(json_schema_extra={"pattern": f"^{NAME.pattern}$"})]
Label = Annotated[
    str,
    AfterValidator(_label),
    Field(description="what the key is for", json_schema_extra={"maxLength": MAX_LABEL_CHARACTERS}),
]


class NewKeyBody(BaseModel):
    """The body of `POST /operator/keys`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"tenant": "acme", "scopes": ["turns"], "label": "shop backend"}]},
    )

    tenant: NewTenant
    scopes: list[KnownScope] = Field(min_length=1, max_length=10)
    label: Label = ""
    lifetime_seconds: Annotated[
        float | None, Field(gt=0, le=MAX_LIFETIME_SECONDS, description="default: until it is revoked")
    ] = None
    id: NewKeyId = None


class RotateKeyBody(BaseModel):
    """The body of `POST /operator/keys/{key_id}/rotate`."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"overlap_seconds": 3600}]})

    overlap_seconds: Annotated[
        float, Field(ge=0, le=MAX_OVERLAP_SECONDS, description="time for which the old key still works")
    ] = DAY_SECONDS
    reason: Annotated[str, Field(max_length=200, description="recorded in the audit log")] = ""
    id: NewKeyId = None


class KeysQuery(Query):
    tenant: Tenant | None = None
    after: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    limit: Limit = 20


class RevokeQuery(CancelQuery):
    cancel: Annotated[bool, Field(description="cancel the live turns that were accepted with it")] = False
    even_last: Annotated[
        bool, Field(description="revoke it although no other active key has its scope `admin` or `operator`")
    ] = False


class ApiKey(ResponseModel):
    """An API key without its secret. Keys are named by their ids; null: a command on the machine of the service."""

    id: str
    object: Literal["api_key"] = "api_key"
    tenant: str
    scopes: Annotated[tuple[str, ...], BeforeValidator(sorted)] = Field(description="a later release may add scopes")
    label: str
    state: KeyState
    created_at: Instant
    created_by: str | None
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="to the minute")
    replaces: str | None = Field(description="the key that was rotated")
    replaced_by: str | None = Field(description="its successor")
    revoked_at: Instant | None
    revoked_by: str | None


class CreatedApiKey(ApiKey):
    """A new API key with its text, which no other response contains."""

    api_key: str

    @classmethod
    def of(cls, key: domain.ApiKey, text: str) -> Self:
        return cls(**_fields(key), api_key=text)


class RevokedKey(ResponseModel):
    key: ApiKey
    cancelled: int = Field(description="turns that this request has cancelled")
    has_more: bool = Field(description="more turns of the key are live; repeat the request to cancel them")

    @classmethod
    def of(cls, key: domain.ApiKey, cancellation: Cancellation) -> Self:
        return cls(key=ApiKey.model_validate(key), cancelled=cancellation.count, has_more=cancellation.has_more)


def _fields(key: domain.ApiKey) -> dict[str, Any]:
    names: Iterable[str] = (name for name in ApiKey.model_fields if name != "object")
    return {name: getattr(key, name) for name in names}
