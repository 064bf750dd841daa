"""The steps of `client.files`; both clients run the same ones."""

from datetime import datetime
from os import PathLike
from pathlib import Path

from inturn.parts import File
from inturn.protocol import requests, steps
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.steps import Steps
from inturn.values import Json

UNKNOWN_TYPE = "application/octet-stream"  # the service recognizes the type by the content

Source = str | PathLike[str] | bytes


class FileSteps:
    """The steps of `client.files`. Repeating an upload is safe: a file that no turn refers to is deleted."""

    def __init__(self, retry_policy: RequestRetryPolicy) -> None:
        self._retry_policy = retry_policy

    def upload(
        self, source: Source, name: str | None, media_type: str | None, user_id: str | None, session_id: str | None
    ) -> Steps[File]:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        if name is None and not isinstance(source, bytes):
            name = Path(source).name
        request = requests.upload_file(
            content, name=name, media_type=media_type or UNKNOWN_TYPE, user_id=user_id, session_id=session_id
        )
        return steps.fetch(request, to_file, self._retry_policy)

    def get(self, file_id: str, user_id: str | None) -> Steps[File]:
        return steps.fetch(requests.get_file(file_id, user_id=user_id), to_file, self._retry_policy)

    def read(self, file_id: str, user_id: str | None) -> Steps[bytes]:
        response = yield from steps.send_with_retries(requests.read_file(file_id, user_id=user_id), self._retry_policy)
        return response.body

    def delete(self, file_id: str, user_id: str | None) -> Steps[None]:
        yield from steps.send_with_retries(requests.delete_file(file_id, user_id=user_id), self._retry_policy)


def to_file(body: Json) -> File:
    names = ("id", "user_id", "name", "media_type", "size_bytes", "sha256")
    created_at = datetime.fromisoformat(body["created_at"])
    return File(**{name: body[name] for name in names}, created_at=created_at, raw=body)
