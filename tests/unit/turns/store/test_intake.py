import pytest

from tests.support.stub_client import StubClient
from turns.config.settings import Settings
from turns.domain.errors import StoreUnsafe
from turns.store.intake import CHECK_SECONDS, SafetyCheck


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def policy(name: str) -> dict[str, str]:
    return {"maxmemory_policy": name}


def test_the_policy_is_read_once_per_interval() -> None:
    client, clock = StubClient(policy("noeviction"), policy("allkeys-lru"), policy("noeviction")), Clock()
    safety = SafetyCheck(client.as_client, Settings(), clock=clock)
    safety.check()
    safety.check()
    assert len(client.commands) == 1
    clock.now += CHECK_SECONDS
    for _ in range(2):
        with pytest.raises(StoreUnsafe):
            safety.check()
    assert len(client.commands) == 2
    clock.now += CHECK_SECONDS
    safety.check()


@pytest.mark.parametrize("name", ["volatile-ttl", "allkeys-random", "allkeys-lfu"])
def test_every_evicting_policy_is_unsafe(name: str) -> None:
    with pytest.raises(StoreUnsafe):
        SafetyCheck(StubClient(policy(name)).as_client, Settings()).check()


def test_a_store_that_hides_its_policy_is_accepted() -> None:
    SafetyCheck(StubClient({}).as_client, Settings()).check()


def test_a_setting_allows_an_unsafe_store_without_a_command() -> None:
    client = StubClient()
    SafetyCheck(client.as_client, Settings(allow_unsafe_store=True)).check()
    assert client.commands == []
