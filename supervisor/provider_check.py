"""Ask each provider for its list of models: a wrong URL, key or model name is then known before the first turn.

A gateway may serve models that it does not list, or have no list at all, so nothing here prevents a start.
"""

import difflib
import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from turns.assistants.overrides import settings_for
from turns.config.network import OPENAI_PROXY
from turns.config.provider_url import OPENAI_URL, parse_provider_url
from turns.config.settings import Settings
from turns.domain.assistant import Assistant

CHECK_SECONDS = 2.0
MAX_LIST_BYTES = 8 * 1024 * 1024  # many times the longest list of the public gateways
MAX_SHOWN = 100  # characters of a model's name, which the provider chooses
UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class State(StrEnum):
    HAS_MODELS = "has models"
    UNKNOWN = "unknown"  # the provider answers, but turns may fail
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFinding:
    state: State
    observed: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.observed}; {self.remedy}" if self.remedy else self.observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The models that assistants use at one base URL with one key; each with the first assistant that names it."""

    base_url: str
    api_key: str = field(repr=False)
    models: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return parse_provider_url(self.base_url).address


class ProviderCheck:
    """Asks all providers at once, in threads, from its creation on."""

    def __init__(self, assistants: Iterable[Assistant], settings: Settings) -> None:
        self._providers = find_providers(assistants, settings)
        self._found: dict[int, ProviderFinding] = {}
        self._ends_at = time.monotonic() + CHECK_SECONDS
        self._threads = [
            threading.Thread(target=self._ask, args=(n, provider), daemon=True)
            for n, provider in enumerate(self._providers)
        ]
        for thread in self._threads:
            thread.start()

    def findings(self) -> list[ProviderFinding]:
        """Return the finding of each provider, at the latest two seconds after the creation."""
        for thread in self._threads:
            thread.join(max(0.0, self._ends_at - time.monotonic()))
        silent = f"has not answered within {CHECK_SECONDS:g} s"
        return [self._found.get(n) or _unreachable(provider, silent) for n, provider in enumerate(self._providers)]

    def _ask(self, n: int, provider: Provider) -> None:
        self._found[n] = ask(provider)


def find_providers(assistants: Iterable[Assistant], settings: Settings) -> list[Provider]:
    """Return the providers that assistants with a prompt use. Custom chains choose theirs themselves."""
    found: dict[tuple[str, str], Provider] = {}
    for assistant in assistants:
        effective = settings_for(assistant, settings)
        if assistant.chain or effective.is_offline:
            continue
        login = effective.openai_base_url or OPENAI_URL, effective.openai_api_key.get_secret_value()
        provider = found.setdefault(login, Provider(base_url=login[0], api_key=login[1]))
        for model in filter(None, (effective.model, effective.fallback_model)):
            provider.models.setdefault(model, assistant.name)
    return list(found.values())


def ask(provider: Provider) -> ProviderFinding:
    """Request the list of models and return what it says about this provider."""
    # Loaded on demand: it takes 5 MB, which a service without a provider saves.
    import httpx2  # noqa: PLC0415

    try:
        status, body = _request(provider)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        return _unreachable(provider, f"does not answer ({_reason(error)})")
    return judge(provider, status, body)


def judge(provider: Provider, status: int, body: bytes) -> ProviderFinding:
    """Return what a response to `GET /models` says about this provider. Its text is not quoted: it may have the key."""
    if status in UNAUTHORIZED:
        observed = f"{provider.address} refuses the API key ({_phrase(status)})"
        return ProviderFinding(state=State.UNUSABLE, observed=observed, remedy="check OPENAI_API_KEY, or api_key_env")
    listed = _listed_models(body) if status == HTTPStatus.OK else []
    if not listed:
        observed = f"{provider.address} answers, but not with a list of models ({_phrase(status)})"
        return ProviderFinding(
            state=State.UNKNOWN, observed=observed, remedy="check that OPENAI_BASE_URL, or base_url, ends like /v1"
        )
    missing = [model for model in provider.models if model not in listed and f"{model}:latest" not in listed]
    if not missing:
        return ProviderFinding(
            state=State.HAS_MODELS, observed=f"{provider.address} answers and has {', '.join(provider.models)}"
        )
    names = ", ".join(f"{model} (assistant {provider.models[model]})" for model in missing)
    nearest = difflib.get_close_matches(missing[0], listed, n=1)
    return ProviderFinding(
        state=State.UNKNOWN,
        observed=f"{provider.address} answers, but does not list {names}",
        remedy=f"did you mean {nearest[0]}?" if nearest else "check INTURN_MODEL, or model in assistants.toml",
    )


def _request(provider: Provider) -> tuple[int, bytes]:
    import httpx2  # noqa: PLC0415

    url = parse_provider_url(provider.base_url)
    headers = {"Authorization": url.authorization or f"Bearer {provider.api_key or 'none'}"}
    proxy = os.environ.get(OPENAI_PROXY) or None
    with (
        httpx2.Client(timeout=CHECK_SECONDS, proxy=proxy, headers=headers) as client,
        client.stream("GET", f"{url.address}/models", params=dict(url.query)) as response,
    ):
        body = b""
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MAX_LIST_BYTES:
                break
        return response.status_code, body


def _listed_models(body: bytes) -> dict[str, None]:
    """Return the names in a list of models, in its order; none if it is not one."""
    try:
        loaded: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    models = loaded.get("data") if isinstance(loaded, Mapping) else None
    items = models if isinstance(models, list) else []
    names = (item.get("id") for item in items if isinstance(item, Mapping))
    return dict.fromkeys(name for name in names if isinstance(name, str) and _may_be_shown(name))


def _may_be_shown(name: str) -> bool:
    return name.isprintable() and len(name) <= MAX_SHOWN


def _unreachable(provider: Provider, what: str) -> ProviderFinding:
    return ProviderFinding(
        state=State.UNUSABLE,
        observed=f"{provider.address} {what}",
        remedy="check OPENAI_BASE_URL, or base_url, the proxy variables and the network",
    )


def _reason(error: BaseException) -> str:
    """Return the operating system's reason. The text of the error itself may contain the URL with its password."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
