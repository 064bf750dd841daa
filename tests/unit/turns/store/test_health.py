import pytest

from turns.store.health import Health, Memory, Readiness


def health(**facts: object) -> Health:
    policy = str(facts.pop("policy", "noeviction"))
    values = {"live_workers": 1, "live_chain_workers": 0, "had_workers": True, **facts}
    memory = Memory(used_bytes=1, limit_bytes=2, eviction_policy=policy)
    return Health(durability="always", memory=memory, replicas=0, live_turns=0, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, Readiness.OK),
        ({"live_workers": 0}, Readiness.NO_WORKERS),
        ({"live_workers": 0, "had_workers": False}, Readiness.OK),
        ({"policy": "allkeys-lru", "live_workers": 0}, Readiness.UNSAFE),
        ({"policy": "allkeys-lru", "allows_unsafe": True}, Readiness.OK),
        ({"policy": "unknown"}, Readiness.OK),
        ({"policy": "allkeys-lru", "refusal": "OOM"}, Readiness.REFUSING),
    ],
)
def test_the_first_reason_decides_about_readiness(facts: dict[str, object], expected: Readiness) -> None:
    assert health(**facts).readiness is expected


def test_memory_without_a_limit_is_never_full() -> None:
    assert Memory(used_bytes=10**12, limit_bytes=0, eviction_policy="noeviction").share == 0
