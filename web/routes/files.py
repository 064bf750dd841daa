"""The routes of uploaded files."""

from typing import TypedDict
from urllib.parse import quote

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from turns.config.logs import Log, get_logger
from turns.domain.errors import (
    FileInUse,
    FileNotFound,
    FilesFull,
    FilesUnavailable,
    FileTypeRefused,
    InvalidRequest,
)
from turns.domain.ids import session_key
from turns.files.media_types import is_text
from turns.files.store import FileStore
from web.http.responses import read_body, reply, reply_empty
from web.http.validation import parse_query
from web.openapi.operation import Operation, ResponseSpec
from web.schemas import files as schema
from web.schemas.links import link
from web.streaming.fair_limit import FairLimit

ANY = "application/octet-stream"
FORM = "multipart/form-data"
CURL_DEFAULT = "application/x-www-form-urlencoded"  # which `curl --data-binary` sends unless told otherwise
FORM_BYTES = 64 * 1024  # of a form besides its file
UPLOAD_SECONDS = 120.0
MAX_UPLOADS = 16  # at once in this process, which holds each in memory
CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


class Owner(TypedDict):
    tenant: str
    user_id: str | None
    session: str | None


def build_files(store: FileStore, *, max_bytes: int) -> Blueprint:
    api, uploads = Blueprint("files", __name__), FairLimit(MAX_UPLOADS)

    @Operation(
        id="upload_file",
        method="post",
        path="/v1/files",
        summary="Upload a file, as the body or as the field `file` of a form",
        query=schema.UploadQuery,
        body_kinds=(ANY, FORM),
        responses={201: ResponseSpec("The file, which is stored", schema.StoredFile, headers=("Location",))},
        refusals=(FileTypeRefused, FilesFull, FilesUnavailable),
        takes_tokens=True,
    ).on(api)
    def upload(query: schema.UploadQuery) -> Response:
        if not uploads.has_room(g.caller.tenant):
            raise FilesUnavailable("Too many files are being uploaded.")
        with uploads.hold(g.caller.tenant):
            content, media_type, name = _read_upload(max_bytes)
            name = query.name or parse_query(schema.UploadQuery, [("name", name)]).name
            file = store.add(content, media_type=media_type, name=name, **_owner(query))
        get_logger().info(Log.FILE_STORED, file_id=file.id, media_type=file.media_type, size_bytes=file.size_bytes)
        response = reply(schema.StoredFile.model_validate(file), 201)
        response.headers["Location"] = link(f"/v1/files/{file.id}")
        return response

    @Operation(
        id="read_file",
        method="get",
        path="/v1/files/{file_id}",
        summary="Get the content of a file",
        query=schema.FileQuery,
        responses={200: ResponseSpec("The content, with the type of the file", kind="*/*", headers=("ETag",))},
        refusals=(FileNotFound, FilesUnavailable),
        takes_tokens=True,
        negotiates=False,
    ).on(api)
    def read(file_id: str, query: schema.FileQuery) -> Response:
        file = store.get(file_id, **_owner(query))
        kind = f"{file.media_type}; charset=utf-8" if is_text(file.media_type) else file.media_type
        response = Response(store.chunks(file), content_type=kind)
        response.content_length = file.size_bytes
        shown = "inline" if file.is_image else "attachment"  # a browser must not run or render anything else
        response.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(file.name or file.id, safe='')}"
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.set_etag(file.sha256)
        return response

    @Operation(
        id="read_file_metadata",
        method="get",
        path="/v1/files/{file_id}/metadata",
        summary="Get the name, type and size of a file",
        query=schema.FileQuery,
        responses={200: ResponseSpec("The file", schema.StoredFile)},
        refusals=(FileNotFound,),
        takes_tokens=True,
    ).on(api)
    def read_metadata(file_id: str, query: schema.FileQuery) -> Response:
        return reply(schema.StoredFile.model_validate(store.get(file_id, **_owner(query))))

    @Operation(
        id="delete_file",
        method="delete",
        path="/v1/files/{file_id}",
        summary="Delete a file to which no turn and no session refers",
        query=schema.FileQuery,
        responses={204: ResponseSpec("The file does not exist any more")},
        refusals=(FileInUse, FilesUnavailable),
        takes_tokens=True,
    ).on(api)
    def delete(file_id: str, query: schema.FileQuery) -> Response:
        store.delete(file_id, **_owner(query))
        return reply_empty()

    return api


def _owner(query: schema.FileQuery) -> Owner:
    tenant, user_id = g.caller.tenant, query.user_id
    session = session_key(query.session_id, user_id, tenant) if query.session_id else None
    return {"tenant": tenant, "user_id": user_id, "session": session}


def _read_upload(max_bytes: int) -> tuple[bytes, str, str]:
    """Return the content, the type and the name of an upload. The type is "" if the caller does not know it."""
    if request.mimetype != FORM:
        content = _within(read_body(max_bytes=max_bytes, seconds=UPLOAD_SECONDS), max_bytes)
        return content, _known(request.mimetype), ""
    read_body(max_bytes=max_bytes + FORM_BYTES, seconds=UPLOAD_SECONDS, cache=True)
    upload = request.files.get("file")
    if upload is None:
        raise InvalidRequest("file", "is required in a form")
    name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]  # some browsers send a path
    return _within(upload.read(), max_bytes), _known(upload.mimetype), name


def _within(content: bytes, max_bytes: int) -> bytes:
    if not content:
        raise InvalidRequest("body", "must not be empty")
    if len(content) > max_bytes:
        raise RequestEntityTooLarge(f"The file must be at most {max_bytes} bytes.")
    return content


def _known(media_type: str) -> str:
    return "" if media_type in {ANY, CURL_DEFAULT} else media_type
