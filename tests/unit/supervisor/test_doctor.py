"""Each finding of the doctor has a verdict and, unless it is ok, a remedy."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.doctor.finding import Verdict
from supervisor.doctor.model_checks import check_running_models
from supervisor.doctor.package_checks import is_at_least
from supervisor.doctor.service_checks import (
    check_assistants,
    check_chain_workers,
    check_failed,
    check_keys,
    check_service,
    check_workers,
)
from supervisor.doctor.store_checks import check_clock, check_durability, check_memory, check_server_version
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.operations.finding import Finding as ServiceFinding
from turns.operations.finding import Level
from turns.processes.record import ProcessRecord
from turns.store.health import Health, Memory, StoreServer


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


def make_health(**fields: Any) -> Health:
    calm: dict[str, Any] = {"live_workers": 1, "live_chain_workers": 0, "live_turns": 0, "replicas": 0}
    memory = Memory(used_bytes=0, limit_bytes=0, eviction_policy="noeviction")
    return Health(**{"durability": "always", "memory": memory, **calm, **fields})


def test_a_missing_worker_is_wrong_for_each_kind(tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text('[assistants.rag]\nchain = "a:b"\n[assistants.quick]\nchain = "a:b"\nruns_in = "loop"\n')
    settings = Settings(assistants=file)
    assert check_workers(make_health()).verdict is Verdict.OK
    assert check_workers(make_health(live_chain_workers=1)).verdict is Verdict.WRONG
    [missing] = check_chain_workers(make_health(), settings)
    assert (missing.verdict, missing.observed) == (Verdict.WRONG, "0 alive, needed by rag")
    [alive] = check_chain_workers(make_health(live_workers=2, live_chain_workers=1), settings)
    assert alive.verdict is Verdict.OK
    file.write_text("[assistants.plain]\n")
    assert list(check_chain_workers(make_health(), settings)) == []


@pytest.mark.parametrize("content", ["not TOML at all", "[assistants.a]\nsistem = 1\n"])
def test_a_broken_assistants_file_is_wrong(tmp_path: Path, content: str) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(content)
    settings = Settings(assistants=file)
    [finding] = check_assistants(settings)
    assert (finding.verdict, finding.subject) == (Verdict.WRONG, "assistants")
    assert str(file) in finding.observed
    assert list(check_chain_workers(make_health(), settings)) == []
    file.write_text("[assistants.plain]\n")
    assert list(check_assistants(settings)) == []


def worker(model: str, *, seen_at: int = 1_000_000) -> ProcessRecord:
    return ProcessRecord(name=f"a:1:{model}", kind="loop", seen_at=seen_at, model=model)


def test_another_model_of_running_workers_is_noted() -> None:
    """A shell beside `make up` has not the variables with which the workers were started."""

    def observed(*workers: ProcessRecord, **settings: Any) -> list[str]:
        return [found.observed for found in check_running_models(workers, Settings(**settings), now_ms=1_000_000)]

    real, offline = "gpt-4o-mini at the OpenAI API", "the built-in offline model"
    assert observed(worker(real)) == [f"running workers use {real}; the settings of this shell {offline}"]
    assert observed(worker(real), worker(offline), openai_api_key="sk-x")[0].startswith(
        f"running workers use {offline};"
    )
    assert observed(worker(real), openai_api_key="sk-x") == []
    assert observed(worker(real, seen_at=0)) == observed(worker(offline)) == ["the built-in offline model answers"]


def test_a_server_that_is_too_old_is_wrong() -> None:
    assert check_server_version(server((7, 2)), Settings()).verdict is Verdict.OK
    finding = check_server_version(server((7, 1, 9)), Settings())
    assert finding.verdict is Verdict.WRONG
    assert "Valkey 7.2" in finding.remedy


def test_the_namespace_is_named_beside_the_store() -> None:
    assert check_server_version(server((7, 2)), Settings(namespace="blue")).observed == "Valkey 7.2, namespace blue"


@pytest.mark.parametrize(("skew_seconds", "verdict"), [(2.0, "ok"), (2.1, "note"), (-2.1, "note")])
def test_a_clock_that_is_ahead_or_behind_is_noted(skew_seconds: float, verdict: str) -> None:
    assert check_clock(server(skew_seconds=skew_seconds)).verdict == verdict


def test_a_store_that_can_lose_writes_is_noted() -> None:
    health = make_health(durability="everysec")
    assert str(check_durability(health)).startswith("note    durability: everysec\n        → ")


@pytest.mark.parametrize(
    ("used_bytes", "limit_bytes", "verdict"),
    [(9, 0, "ok"), (79, 100, "ok"), (80, 100, "note"), (97, 100, "note"), (98, 100, "wrong"), (110, 100, "wrong")],
)
def test_a_store_that_is_nearly_full_is_reported(used_bytes: int, limit_bytes: int, verdict: str) -> None:
    memory = Memory(used_bytes=used_bytes, limit_bytes=limit_bytes, eviction_policy="noeviction")
    finding = check_memory(make_health(memory=memory))
    assert finding.verdict == verdict
    assert bool(finding.remedy) == (verdict != "ok")


@pytest.mark.parametrize(
    ("active", "host", "verdict"),
    [
        (None, "127.0.0.1", "ok"),
        (None, "0.0.0.0", "note"),  # noqa: S104  # nothing is bound
        (2, "0.0.0.0", "note"),  # noqa: S104
        (0, "127.0.0.1", "wrong"),
    ],
)
def test_missing_keys_are_noted_where_they_matter(active: int | None, host: str, verdict: str) -> None:
    api_keys: Any = ApiKeys(active)
    finding = check_keys(api_keys, Settings(host=host))
    assert finding.verdict == verdict
    assert bool(finding.remedy) == (verdict != "ok")


@pytest.mark.parametrize(("active", "verdict"), [(None, "wrong"), (2, "ok"), (0, "wrong")])
def test_a_lack_of_required_keys_is_wrong(active: int | None, verdict: str) -> None:
    api_keys: Any = ApiKeys(active)
    assert check_keys(api_keys, Settings(require_keys=True)).verdict == verdict


def test_unresolved_failed_turns_are_noted_by_code() -> None:
    assert check_failed({}).verdict is Verdict.OK
    finding = check_failed({Code.PROVIDER_ERROR: 4000, "code_of_tomorrow": 300})
    assert (finding.verdict, finding.observed) == (
        Verdict.NOTE,
        "4,300 unresolved: provider_error 4,000, code_of_tomorrow 300",
    )
    assert "/operator" in finding.remedy


def test_findings_of_the_page_are_shown_unless_the_doctor_has_them() -> None:
    def found(level: Level, code: str) -> ServiceFinding:
        return ServiceFinding(level=level, code=code, headline=f"{code}.", detail="Why.", todo="Do this.")

    paused, differ = found(Level.WARN, "workers_paused"), found(Level.BAD, "versions_differ")
    shown = list(check_service([found(Level.BAD, "store_full"), paused, differ]))
    assert [(finding.verdict, finding.observed) for finding in shown] == [
        (Verdict.NOTE, "workers_paused. Why."),
        (Verdict.WRONG, "versions_differ. Why."),
    ]
    [finding] = check_service([found(Level.BAD, "no_worker")])
    assert finding.verdict is Verdict.NOTE


def test_versions_are_compared_by_number() -> None:
    assert is_at_least("3.10.0", "3.9")
    assert not is_at_least("2.9.9", "2.10")
