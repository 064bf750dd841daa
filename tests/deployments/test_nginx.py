"""A real nginx with the shipped file: TLS, streams without delay, long polls, large bodies."""

import http.client
import json
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inturn.testing.ports import free_ports
from tests.support.processes import Stack, turn_request
from tests.support.waiting import wait_until
from tools import ROOT
from web.routes.sessions import MAX_IMPORT_BYTES


class Proxy:
    """One nginx process in front of a stack."""

    def __init__(self, directory: Path, upstream: str) -> None:
        self.plain_port, self.port = free_ports(2)
        self._directory = directory
        certificate(directory)
        site = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        for original, here in (
            ("server inturn-web:8000;", f"server {upstream};"),
            ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            ("/etc/nginx/tls", str(directory)),
        ):
            assert original in site
            site = site.replace(original, here)
        (directory / "nginx.conf").write_text(main_file(directory, site), encoding="utf-8")
        command = ["nginx", "-p", str(directory), "-c", "nginx.conf", "-e", "error.log"]
        self._process = subprocess.Popen(command)
        wait_until("nginx accepts connections", self.is_ready)

    def is_ready(self) -> bool:
        assert self._process.poll() is None, (self._directory / "error.log").read_text(encoding="utf-8")
        try:
            return self.request("GET", "/livez")[0] == 200
        except OSError:
            return False

    def connect(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self._directory / "fullchain.pem"))
        return http.client.HTTPSConnection("localhost", self.port, context=context, timeout=60)

    def request(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], bytes]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        with closing(self.connect()) as connection:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(15)


def certificate(directory: Path) -> None:
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    files = ["-keyout", str(directory / "privkey.pem"), "-out", str(directory / "fullchain.pem")]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", *options.split(), *names, *files], check=True, capture_output=True)


def main_file(directory: Path, site: str) -> str:
    """Return a main configuration, like the one that includes conf.d, whose files are all in this directory."""
    user = "user root;\n" if os.geteuid() == 0 else ""  # the usual user `nobody` could not write into the directory
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
    return f"{user}daemon off;\npid {directory}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}\n{site}\n}}\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), workers=1) as stack:
        yield stack


@pytest.fixture(scope="module")
def proxy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    proxy = Proxy(tmp_path_factory.mktemp("nginx"), stack.url.removeprefix("http://"))
    yield proxy
    proxy.stop()


def test_an_event_passes_before_the_answer_ends(stack: Stack, proxy: Proxy) -> None:
    turn_id = stack.submit("held", "hello [hold middle] [words 20]")
    with closing(proxy.connect()) as connection:
        connection.request("GET", f"/v1/turns/{turn_id}/events")
        response = connection.getresponse()
        begun = b""
        while b"event: delta" not in begun:
            begun += response.readline()
        assert stack.turn(turn_id)["status"] == "in_progress"
        stack.open_gate("middle")
        rest = response.read()
    assert b"event: done" in rest
    last_id = re.findall(rb"^id: (.+)$", begun, re.MULTILINE)[-1].decode()
    with closing(proxy.connect()) as connection:
        connection.request("GET", f"/v1/turns/{turn_id}/events", headers={"Last-Event-ID": last_id})
        assert rest.endswith(connection.getresponse().read()[-200:]), "a stream resumes through the proxy"


def test_a_long_poll_returns_with_the_answer(proxy: Proxy) -> None:
    status, _, body = proxy.request("POST", "/v1/turns", turn_request("s", "hello [delay 1]"))
    assert status == 202
    _, _, body = proxy.request("GET", f"/v1/turns/{json.loads(body)['id']}?wait=30")
    assert json.loads(body)["status"] == "completed"


def test_a_large_import_passes(proxy: Proxy) -> None:
    text = "x" * 100_000
    count = MAX_IMPORT_BYTES // len(text) - 1
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n in range(count)]
    status, _, body = proxy.request("PUT", "/v1/sessions/large/messages", {"messages": messages})
    assert status < 300, body[:300]


def test_http_is_redirected_and_https_is_strict(proxy: Proxy) -> None:
    with closing(http.client.HTTPConnection("localhost", proxy.plain_port, timeout=10)) as connection:
        connection.request("GET", "/operator?x=1")
        response = connection.getresponse()
        assert (response.status, response.headers["Location"]) == (301, "https://localhost/operator?x=1")
    status, headers, _ = proxy.request("GET", "/operator")
    assert status == 200
    assert "max-age" in headers["Strict-Transport-Security"]
