"""Files in an S3-compatible bucket, served by a real local server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from moto.server import ThreadedMotoServer

from inturn.testing.ports import free_ports
from tests.integration.turns.files.conftest import PNG, Scene
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, FileNotFound, FilesUnavailable
from turns.files.blobs import BlobMissing, Blobs, open_blobs
from turns.files.bucket import BucketBlobs
from turns.files.partitioned import open_file_store


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    [port] = free_ports(1)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Create a bucket, and return the settings for it."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": server_url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="files")
    return Settings(redis_url="redis://nowhere", files="s3:files/inturn")


@pytest.fixture
def blobs(bucket: Settings) -> Blobs:
    return open_blobs(bucket)


def test_a_file_is_kept_read_and_deleted(client: Client, settings: Settings, blobs: Blobs) -> None:
    blobs.prepare()
    files = open_file_store(client, settings, blobs)
    file = files.add(PNG, media_type="", name="cat.png", tenant="-")
    assert b"".join(files.chunks(file)) == PNG
    [stored] = boto3.client("s3").list_objects_v2(Bucket="files")["Contents"]
    assert stored["Key"] == f"inturn/{file.id}"
    files.delete(file.id, tenant="-")
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="files")
    with pytest.raises(BlobMissing):
        blobs.open(file.id)
    with pytest.raises(FileNotFound):
        files.chunks(file)
    blobs.delete(file.id)


def test_the_sweep_empties_the_bucket(client: Client, settings: Settings, blobs: Blobs, scene: Scene) -> None:
    scene.files = open_file_store(client, settings, blobs)
    scene.upload()
    assert scene.sweep() == 1
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="files")


def test_a_missing_bucket_ends_the_start(bucket: Settings) -> None:
    with pytest.raises(ConfigurationError, match="the bucket other cannot be used"):
        BucketBlobs("other", "").prepare()


def test_a_connection_that_breaks_in_a_file_is_noticed(
    client: Client, settings: Settings, blobs: Blobs, bucket: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = open_file_store(client, settings, blobs).add(PNG, media_type="", name="cat.png", tenant="-")
    with half_a_response() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        with open_blobs(bucket).open(file.id) as stream, pytest.raises(OSError, match="bytes"):
            stream.read()
        with pytest.raises(FilesUnavailable):
            list(open_file_store(client, settings, open_blobs(bucket)).chunks(file))
    blobs.delete(file.id)


@contextmanager
def half_a_response() -> Iterator[str]:
    """Serve every object with fewer bytes than announced."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(PNG)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_service_that_is_down_refuses_the_upload(
    client: Client, settings: Settings, bucket: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(FilesUnavailable):
        open_file_store(client, settings, open_blobs(bucket)).add(PNG, media_type="", name="", tenant="-")
