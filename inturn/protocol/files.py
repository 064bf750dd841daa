"""The requests for uploaded files, and the steps of `client.files`; both clients run the same ones."""

from datetime import datetime
from os import PathLike
from pathlib import Path

from inturn.parts import File
from inturn.protocol import steps
from inturn.protocol.requests import Request, optional_query, path_segment
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.steps import Steps
from inturn.values import Json

UNKNOWN_TYPE = "application/octet-stream"  # the service recognizes the type by the content
UPLOAD_SECONDS = 120.0  # for the service to receive and store the largest file

Source = str | PathLike[str] | bytes


class FileSteps:
    """The steps of `client.files`. Repeating an upload is safe: a file that no turn refers to is deleted."""

    def __init__(self, retry_policy: RequestRetryPolicy) -> None:
        self._retry_policy = retry_policy

    def upload(self, source: Source, name: str | None, media_type: str | None, user_id: str | None) -> Steps[File]:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        if name is None and not isinstance(source, bytes):
            name = Path(source).name
        request = Request(
            method="POST",
            path="/v1/files",
            query=optional_query({"name": name, "user_id": user_id}),
            headers={"Content-Type": media_type or UNKNOWN_TYPE},
            body=content,
            read_timeout_seconds=UPLOAD_SECONDS,
        )
        return steps.fetch(request, to_file, self._retry_policy)

    def get(self, file_id: str, user_id: str | None) -> Steps[File]:
        return steps.fetch(_request("GET", file_id, user_id, "/metadata"), to_file, self._retry_policy)

    def read(self, file_id: str, user_id: str | None) -> Steps[bytes]:
        response = yield from steps.send_with_retries(_request("GET", file_id, user_id), self._retry_policy)
        return response.body

    def delete(self, file_id: str, user_id: str | None) -> Steps[None]:
        yield from steps.send_with_retries(_request("DELETE", file_id, user_id), self._retry_policy)


def to_file(body: Json) -> File:
    names = ("id", "user_id", "name", "media_type", "size_bytes", "sha256")
    created_at = datetime.fromisoformat(body["created_at"])
    return File(**{name: body[name] for name in names}, created_at=created_at, raw=body)


def _request(method: str, file_id: str, user_id: str | None, suffix: str = "") -> Request:
    path = f"/v1/files/{path_segment('file_id', file_id)}{suffix}"
    return Request(method=method, path=path, query=optional_query({"user_id": user_id}))
