"""The queries and responses about uploaded files."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from turns.domain.content.parts import MAX_NAME_CHARACTERS
from web.schemas.field_types import FileId, Id, rule
from web.schemas.queries import Query
from web.schemas.response_model import Id as SentId
from web.schemas.response_model import Instant, ResponseModel


def _check_name(name: str) -> str:
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable() or set(name) & set('/\\"'):
        raise rule(f"must be at most {MAX_NAME_CHARACTERS} printable characters without / \\ and quotes")
    return name


class FileQuery(Query):
    user_id: Id | None = Field(None, description="the user that owns the file; without it, all users can refer to it")
    session_id: Id | None = Field(
        None, description="the session of the file: access tokens of other sessions cannot refer to it"
    )


class UploadQuery(FileQuery):
    name: Annotated[str, AfterValidator(_check_name)] = Field("", description="shown to people and sent to the model")


class StoredFile(ResponseModel):
    """An uploaded file. It is deleted when no turn and no session refers to it any more."""

    id: FileId
    object: Literal["file"] = "file"
    user_id: SentId | None
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: Instant
