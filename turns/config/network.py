"""Variables of the environment that the clients of the providers read themselves: proxies, certificates, headers.

A wrong one would end the worker with a traceback, or fail each turn, so all of them are checked at start.
"""

import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from turns.config.provider_url import check_header_value

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
OPENAI_PROXY = "OPENAI_PROXY"
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
HEADERS = ("OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID")


def find_client_problems(environment: Mapping[str, str]) -> list[str]:
    """Return an error for each variable with which no request to a provider could be sent."""
    return [*_proxy_problems(environment), *_header_problems(environment)]


def find_certificate_problems(environment: Mapping[str, str]) -> list[str]:
    """Return an error for each of `SSL_CERT_FILE` and `SSL_CERT_DIR` that names nothing usable."""
    problems = []
    if (file := environment.get("SSL_CERT_FILE")) and (problem := find_certificate_problem(file)):
        problems.append(f"SSL_CERT_FILE: {file!r} {problem}; correct it, or unset it")
    directories = environment.get("SSL_CERT_DIR")
    if directories and not any(Path(directory).is_dir() for directory in directories.split(":")):
        problems.append(f"SSL_CERT_DIR: {directories!r} is not a directory; correct it, or unset it")
    return problems


def find_certificate_problem(file: str) -> str | None:
    """Return why a TLS client could not load the certificates of this file, or None."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except ssl.SSLError:  # also for one damaged certificate among others
        return "does not consist of certificates in PEM format"
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or 'it is not a path'}"
    return None


def _proxy_problems(environment: Mapping[str, str]) -> Iterator[str]:
    no_proxy = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    names: list[str] = []
    if "*" not in (entry.strip() for entry in no_proxy.split(",")):
        # The lower-case name takes precedence, as in the Python library.
        names += [name.lower() if name.lower() in environment else name for name in PROXIES]
    for name in (*names, OPENAI_PROXY):
        if (url := environment.get(name)) and (problem := _proxy_problem(url)):
            yield f"{name}: {problem}"


def _proxy_problem(url: str) -> str | None:
    """Return what is wrong with a proxy's URL, without its text, which may contain a password."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        is_valid = bool(parts.hostname) and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        is_valid = False
    if not is_valid:
        return "must be the URL of a proxy, such as http://proxy.example:3128"
    if parts.scheme not in PROXY_SCHEMES:
        return f"must begin with one of {', '.join(f'{scheme}://' for scheme in PROXY_SCHEMES)}"
    if parts.scheme.startswith("socks") and not find_spec("socksio"):
        return "a SOCKS proxy needs the package socksio: pip install socksio, or unset this variable"
    return None


def _header_problems(environment: Mapping[str, str]) -> Iterator[str]:
    for name in HEADERS:
        try:
            check_header_value(environment.get(name, ""))
        except ValueError as error:
            yield f"{name}: {error}"
