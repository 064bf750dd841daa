"""Each finding of the doctor has a verdict and, unless it is ok, a remedy."""

from typing import Any

import pytest

from supervisor.doctor import Verdict, check_clock, check_durability, check_keys, check_server_version, is_at_least
from turns.config.settings import Settings
from turns.store.health import Health, StoreServer


class ApiKeys:
    """An `ApiKeyStore` with a fixed number of active keys, or one that never held a key."""

    def __init__(self, active: int | None) -> None:
        self._active = active

    def has_keys(self) -> bool:
        return self._active is not None

    def list_keys(self) -> list[None]:
        return [None] * (self._active or 0)


def server(version: tuple[int, ...] = (9, 1), skew_seconds: float = 0.0) -> StoreServer:
    return StoreServer(name="Valkey", version=version, skew_seconds=skew_seconds)


def test_a_server_that_is_too_old_is_wrong() -> None:
    assert check_server_version(server((7, 2))).verdict is Verdict.OK
    finding = check_server_version(server((7, 1, 9)))
    assert finding.verdict is Verdict.WRONG
    assert "Valkey 7.2" in finding.remedy


@pytest.mark.parametrize(("skew_seconds", "verdict"), [(2.0, "ok"), (2.1, "note"), (-2.1, "note")])
def test_a_clock_that_is_ahead_or_behind_is_noted(skew_seconds: float, verdict: str) -> None:
    assert check_clock(server(skew_seconds=skew_seconds)).verdict == verdict


def test_a_store_that_can_lose_writes_is_noted() -> None:
    health = Health(durability="everysec", eviction_policy="noeviction", replicas=0, live_workers=1, live_turns=0)
    assert str(check_durability(health)).startswith("note    durability: everysec\n        → ")


@pytest.mark.parametrize(
    ("active", "host", "verdict"),
    [
        (None, "127.0.0.1", "ok"),
        (None, "0.0.0.0", "note"),  # noqa: S104  # nothing is bound
        (2, "0.0.0.0", "ok"),  # noqa: S104
        (0, "127.0.0.1", "note"),
    ],
)
def test_missing_keys_are_noted_where_they_matter(active: int | None, host: str, verdict: str) -> None:
    api_keys: Any = ApiKeys(active)
    finding = check_keys(api_keys, Settings(host=host))
    assert finding.verdict == verdict
    assert bool(finding.remedy) == (verdict == "note")


def test_versions_are_compared_by_number() -> None:
    assert is_at_least("3.10.0", "3.9")
    assert not is_at_least("2.9.9", "2.10")
