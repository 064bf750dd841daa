"""`make doctor`: is everything as it must be? Each finding says what it saw, and what to do about it."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version

from turns.connection import Client, connect
from turns.errors import StoreUnavailable
from turns.health import Health, Server, read_health, read_server
from turns.keyring import Keyring
from turns.settings import Settings, settings_or_exit

OLDEST = {"Redis": (7, 0), "Valkey": (7, 2)}
MOST_SKEW_SECONDS = 2.0
MODEL_SECONDS = 30
# Below these there are known flaws; docs/dependencies.md says which.
FLOORS = {"flask": "3.1.3", "gunicorn": "23", "langchain-core": "1.3.3", "langchain-openai": "1.1.14", "urllib3": "2.7"}


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    about: str
    saw: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n{'':8}→ {self.remedy}" if self.remedy else ""
        return f"{self.verdict:<7} {self.about}: {self.saw}{remedy}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    parser.add_argument("--ask-model", action="store_true", help="ask the model for one token; this costs that token")
    options = parser.parse_args()
    settings = settings_or_exit()
    wrong = False
    for finding in examine(settings, ask_model=options.ask_model):
        print(finding)
        wrong = wrong or finding.verdict is Verdict.WRONG
    return int(wrong)


def examine(settings: Settings, *, ask_model: bool) -> Iterator[Finding]:
    client = connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=1)
    try:
        yield from of_store(client, settings)
    except StoreUnavailable as error:
        yield Finding(Verdict.WRONG, "store", str(error), "start it (make up), or name one that runs: REDIS_URL=…")
    yield of_endpoint(settings)
    yield of_model(settings, ask=ask_model)
    yield from of_versions()


def of_store(client: Client, settings: Settings) -> Iterator[Finding]:
    server, health = read_server(client), read_health(client, replicas=settings.replicas)
    yield of_server(server)
    yield of_clock(server)
    yield of_durability(health)
    yield of_eviction(health)
    yield of_workers(health)
    yield of_keys(Keyring(client), settings)


def of_server(server: Server) -> Finding:
    saw = f"{server.name} {'.'.join(map(str, server.version))}"
    oldest = OLDEST[server.name]
    if server.version >= oldest:
        return Finding(Verdict.OK, "store", saw)
    return Finding(Verdict.WRONG, "store", saw, f"{server.name} {'.'.join(map(str, oldest))} or later is needed")


def of_clock(server: Server) -> Finding:
    saw = f"{abs(server.skew_seconds):.1f} s from this machine's"
    if abs(server.skew_seconds) <= MOST_SKEW_SECONDS:
        return Finding(Verdict.OK, "the store's clock", saw)
    return Finding(
        Verdict.NOTE, "the store's clock", saw, "leases run by its clock alone; let both follow the same time server"
    )


def of_durability(health: Health) -> Finding:
    if health.durability == "always":
        return Finding(Verdict.OK, "durability", "each write is on disk before it is confirmed")
    remedy = "appendonly yes and appendfsync always, if a power cut must lose nothing; docs/operations.md has the table"
    return Finding(Verdict.NOTE, "durability", health.durability, remedy)


def of_eviction(health: Health) -> Finding:
    if health.is_safe:
        return Finding(Verdict.OK, "eviction", health.eviction_policy)
    remedy = "CONFIG SET maxmemory-policy noeviction: any other policy may drop a queue or a history"
    return Finding(Verdict.WRONG, "eviction", health.eviction_policy, remedy)


def of_workers(health: Health) -> Finding:
    saw = f"{health.live_workers} beat, {health.live_turns} live turns"
    if health.live_workers:
        return Finding(Verdict.OK, "workers", saw)
    return Finding(Verdict.WRONG, "workers", saw, "start one: make worker")


def of_keys(keyring: Keyring, settings: Settings) -> Finding:
    if keyring.is_used():
        return Finding(Verdict.OK, "keys", f"{len(keyring.list_keys())} work; each call needs one")
    if settings.is_loopback:
        return Finding(Verdict.OK, "keys", "none were made: one tenant, on loopback only")
    return Finding(
        Verdict.NOTE, "keys", f"none were made, and {settings.host} is open to others", "make key TENANT=acme"
    )


def of_endpoint(settings: Settings) -> Finding:
    url = f"http://{settings.address}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # our own address
            return Finding(Verdict.OK, "endpoint", f"{url} says {json.load(answer)['status']}")
    except urllib.error.HTTPError as error:
        return Finding(Verdict.WRONG, "endpoint", f"{url} says {error.code}", "its body and its log say why")
    except OSError as error:
        return Finding(
            Verdict.WRONG, "endpoint", f"{url}: {error}", "start it (make up, make web); PORT and INTURN_HOST say where"
        )


def of_model(settings: Settings, *, ask: bool) -> Finding:
    if settings.is_offline:
        return Finding(
            Verdict.NOTE, "model", "the built-in offline model answers", "OPENAI_API_KEY=…, or OPENAI_BASE_URL=…"
        )
    if not ask:
        return Finding(Verdict.OK, "model", f"{settings.model_in_words}; not asked (--ask-model asks for one token)")
    body = {"model": settings.model, "max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}
    key = settings.openai_api_key.get_secret_value() or "none"
    request = urllib.request.Request(  # noqa: S310  # the settings allow only http and https
        f"{settings.openai_base_url or 'https://api.openai.com/v1'}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=MODEL_SECONDS):  # noqa: S310  # as above
            return Finding(Verdict.OK, "model", f"{settings.model_in_words} answers")
    except urllib.error.HTTPError as error:
        remedy = (
            "look at OPENAI_API_KEY and the account"
            if error.code in {401, 403, 429}
            else "look at INTURN_MODEL and OPENAI_BASE_URL"
        )
        return Finding(Verdict.WRONG, "model", f"{settings.model_in_words} says {error.code}", remedy)
    except OSError as error:
        return Finding(
            Verdict.WRONG, "model", f"{settings.model_in_words}: {error}", "look at OPENAI_BASE_URL and the network"
        )


def of_versions() -> Iterator[Finding]:
    old = [name for name, floor in FLOORS.items() if not at_least(version(name), floor)]
    if old:
        found = ", ".join(f"{name} {version(name)}" for name in old)
        yield Finding(
            Verdict.WRONG, "packages", f"{found}: known flaws", "install what requirements.txt pins: make clean up"
        )
    else:
        yield Finding(Verdict.OK, "packages", "none is below its floor")


def at_least(found: str, floor: str) -> bool:
    return _numbers(found) >= _numbers(floor)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


if __name__ == "__main__":
    sys.exit(main())
