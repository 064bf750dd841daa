"""Celery connects to the same store as our own client, in all forms of the URL."""

from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

import certifi
import pytest
from kombu import Connection
from structlog.testing import capture_logs

from turns.backend.address import parse_store_url
from turns.config.settings import Settings
from turns.config.store_url import check_store_url
from worker.broker import HintTransport, broker_url

SPECIAL = "p@ss:w/rd#%?&=+ ;,\"'é$[]%20"
QUOTED = "p%40ss%3Aw%2Frd%23%25%3F%26%3D%2B%20%3B%2C%22%27%C3%A9%24%5B%5D%2520"


def parameters(url: str) -> dict[str, Any]:
    """Return what Celery gives to redis-py for this store."""
    broker, tls, options = broker_url(url)
    transport: Any = Connection(broker, ssl=tls, transport_options=options).transport
    channel = object.__new__(transport.Channel)  # its constructor would connect
    channel.connection = transport
    return {name: value for name, value in channel._connparams().items() if value is not None}


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://host",
        "redis://[::1]:7000/3",
        f"redis://:{QUOTED}@host/0?socket_timeout=1&health_check_interval=5&protocol=3",
        f"redis://{QUOTED}:{QUOTED}@host/0",
        "redis://host?db=4",
        f"unix:///tmp/{QUOTED}/s?db=2",
        f"unix://:{QUOTED}@/tmp/s",
        "unix:///tmp/a b/s",
        f"rediss://:{QUOTED}@host:7000/1?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=false",
        f"rediss://host?ssl_ca_certs={certifi.where()}",
    ],
)
def test_celery_connects_to_the_same_store(url: str) -> None:
    ours, celery = dict(parse_store_url(url).options), parameters(url)
    expected = {"db": 0, **({} if "path" in ours else {"host": celery["host"], "port": 6379}), **ours}
    for name in ("protocol", "client_name", "connection_class"):
        expected.pop(name, None)
    assert {name: celery[name] for name in expected} == expected
    if "host" not in ours and "path" not in ours:
        assert celery["host"] == "localhost"
    if "password" in ours:
        assert ours["password"] == SPECIAL


def test_celery_verifies_certificates_by_default() -> None:
    assert parameters("rediss://host")["ssl_cert_reqs"] == "required"


def test_celery_finds_the_primary_through_the_sentinels() -> None:
    broker, tls, options = broker_url(f"sentinel://:{QUOTED}@a:1,[::1]:3/inturn?db=2&sentinel_password=other")
    assert broker == f"sentinel://:{QUOTED}@a:1/2;sentinel://:{QUOTED}@[::1]:3/2"
    assert tls == {}
    assert options["master_name"] == "inturn"
    assert options["sentinel_kwargs"]["password"] == "other"  # noqa: S105  # an example


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%b", "a%20b", "a;b", "a b", "a&b=c", "é", "a+b", "a@b"])
def test_the_embedded_store_is_found_in_any_directory(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path / name)
    check_store_url(settings.store_url)
    socket = str(settings.embedded_socket)
    assert parse_store_url(settings.store_url).options["path"] == socket
    assert parameters(settings.store_url)["path"] == socket


class NeverConnected(HintTransport):
    """A transport whose reads raise an error."""

    def __init__(self, error: Exception) -> None:
        self.cycle = SimpleNamespace(on_readable=self._fail)  # type: ignore[assignment]  # a stand-in
        self._error = error

    def _fail(self, _: int) -> None:
        raise self._error


@pytest.mark.parametrize("error", [Empty(), ConnectionResetError()])
def test_a_poll_without_a_message_is_not_reported(error: Exception) -> None:
    with capture_logs() as logs, pytest.raises(type(error)):
        NeverConnected(error).on_readable(1)
    assert logs == []


def test_a_message_that_cannot_be_read_is_skipped() -> None:
    with capture_logs() as logs:
        NeverConnected(ValueError("body")).on_readable(1)
    assert [(log["event"], log["error"]) for log in logs] == [("hint.skipped", "ValueError")]
