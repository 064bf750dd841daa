from importlib.util import find_spec
from pathlib import Path

import certifi
import pytest

from turns.config.network import find_certificate_problems, find_client_problems

BUNDLE = Path(certifi.where()).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HTTP_PROXY": "http://user:password@proxy:3128", "https_proxy": "https://proxy", "ALL_PROXY": "proxy:3128"},
        {"HTTP_PROXY": "", "NO_PROXY": "localhost, .example.com,10.0.0.0/8"},
        {"ALL_PROXY": "nonsense://x", "NO_PROXY": "localhost,*"},
        {"ALL_PROXY": "nonsense://x", "all_proxy": "http://proxy"},
        {"OPENAI_ORG_ID": "org-1"},
    ],
)
def test_usable_proxies_and_headers_are_accepted(environment: dict[str, str]) -> None:
    assert find_client_problems(environment) == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "OPENAI_PROXY"])
@pytest.mark.parametrize(
    "url", ["ftp://canary@proxy", "http://canary:x@", "http://canary@proxy:99999", "http://[canary"]
)
def test_an_unusable_proxy_is_named_but_not_quoted(name: str, url: str) -> None:
    [problem] = find_client_problems({name: url})
    assert problem.startswith(f"{name}: must ")
    assert "canary" not in problem


@pytest.mark.skipif(find_spec("socksio") is not None, reason="SOCKS proxies are usable here")
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS5"])
def test_a_proxy_that_needs_a_missing_package_is_refused(scheme: str) -> None:
    [problem] = find_client_problems({"ALL_PROXY": f"{scheme}://user:canary@127.0.0.1:1080"})
    assert problem == "ALL_PROXY: a SOCKS proxy needs the package socksio: pip install socksio, or unset this variable"


def test_a_header_that_cannot_be_sent_is_refused() -> None:
    [problem] = find_client_problems({"OPENAI_ORG_ID": "org-1\r\nX-Evil: 1"})
    assert problem.startswith("OPENAI_ORG_ID: must ")


def test_certificates_that_can_be_read_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(BUNDLE)
    assert find_certificate_problems({"SSL_CERT_FILE": str(file), "SSL_CERT_DIR": f"/nowhere:{tmp_path}"}) == []
    assert find_certificate_problems({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}) == []


def test_certificates_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    empty, damaged, cut = (tmp_path / name for name in ("empty.pem", "damaged.pem", "cut.pem"))
    empty.touch()
    damaged.write_text(BUNDLE.replace("MII", "M!!", 1))
    cut.write_text(BUNDLE[: len(BUNDLE) // 2])
    for environment in (
        {"SSL_CERT_FILE": str(damaged)},
        {"SSL_CERT_FILE": str(cut)},
        {"SSL_CERT_FILE": str(tmp_path / "none.pem")},
        {"SSL_CERT_FILE": str(tmp_path)},
        {"SSL_CERT_FILE": str(empty)},
        {"SSL_CERT_DIR": str(empty)},
    ):
        [problem] = find_certificate_problems(environment)
        assert problem.startswith(f"{next(iter(environment))}: ")
        assert problem.endswith("; correct it, or unset it")
