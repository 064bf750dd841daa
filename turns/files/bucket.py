"""The bytes of uploaded files, by file id, in an S3-compatible bucket.

`boto3` reads the credentials, the region and the address of another service than Amazon's (`AWS_ENDPOINT_URL_S3`) from
its own environment variables and files. It waits for the network only, so gevent runs other greenlets meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Self, cast

from turns.domain.errors import ConfigurationError
from turns.files.blobs import BlobMissing

CONNECT_SECONDS = 3
READ_SECONDS = 20
ATTEMPTS = 3
MISSING = frozenset({"NoSuchKey", "404"})


class BucketBlobs:
    """An object for each id. The client is created at its first use, because that reads files."""

    waits_for_disk = False

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._created: Any = None

    def prepare(self) -> None:
        try:
            with _as_os_errors():
                self._client.head_bucket(Bucket=self._bucket)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"INTURN_FILES: the bucket {self._bucket} cannot be used: {error}") from error

    def read_identity(self) -> str:
        return f"s3:{self._bucket}/{self._prefix}"

    def write(self, file_id: str, content: bytes) -> None:
        with _as_os_errors():
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + file_id, Body=content)

    def open(self, file_id: str) -> BinaryIO:
        with _as_os_errors():
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + file_id)["Body"]
        return cast(BinaryIO, _Body(body))

    def delete(self, file_id: str) -> None:
        with _as_os_errors():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + file_id)

    @property
    def _client(self) -> Any:
        if self._created is None:
            import boto3  # noqa: PLC0415  # an optional package, which takes a third of a second to import
            from botocore.config import Config  # noqa: PLC0415

            retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
            config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
            self._created = boto3.client("s3", config=config)
        return self._created


class _Body:
    """The stream of an object. Its connection can break at each `read`, not only when it is opened."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        with _as_os_errors():
            return bytes(self._body.read(None if size < 0 else size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._body.close()


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise `BlobMissing` for a missing object, and `OSError` for any other error of the service or the network."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING and error.operation_name == "GetObject":
            raise BlobMissing from error
        raise OSError(str(error)) from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error
