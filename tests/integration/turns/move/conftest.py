"""One server with turns in each state, and the cluster of two primaries into which they are moved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.turns.edits.conftest import answer_of
from tests.support.cluster.nodes import ClusterNodes
from tests.support.server import Server
from turns.access.api_keys import ApiKeyStore
from turns.access.audit_log import Act, AuditLog
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.environment import with_store
from turns.config.settings import Settings
from turns.domain.assistant import Assistant, Lane
from turns.domain.error_codes import Code
from turns.domain.messages import Message
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.run.spending import Spending, Usage
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.edits.copies import HistoryCopies
from turns.edits.deletion import Deletion
from turns.edits.placement import ForkPlacement
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.move.mover import Mover, Stores
from turns.pauses.part import PauseKind, ServicePart
from turns.pauses.pauses import Pauses
from turns.store.turns import TurnStore
from turns.users.commands import open_erasures

LONG_ANSWER = "An answer that is too long for one field of a record, so that its text is compressed. " * 2
SPENT = Spending(usage=Usage(input_tokens=10, output_tokens=2, total_tokens=12))
COUNT = 4  # partitions, which are fewer than by default, so that a move takes less time
NewMover = Callable[..., Mover]
HINT = "turn_" + "0" * 32


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("store"))
    server.start()
    yield server
    server.stop()
    server.raw.close()


@pytest.fixture
def settings(server: Server) -> Settings:
    server.raw.flushall()
    return Settings(redis_url=server.url, batch_concurrency=1)


@pytest.fixture
def target_settings(settings: Settings, cluster: ClusterNodes) -> Settings:
    return with_store(settings, f"{cluster.url}?partitions={COUNT}")


@pytest.fixture
def target(target_settings: Settings) -> Iterator[Client]:
    with connect(target_settings.store_url, timeout_seconds=5, retries=0, max_connections=30) as client:
        yield client


@pytest.fixture
def new_mover(client: Client, settings: Settings, target: Client, target_settings: Settings) -> Callable[..., Mover]:
    """Return a function that begins a process of the move."""

    def new_mover(
        *,
        settings_of_target: Settings = target_settings,
        sleep: Any = _never,
        report: Any = lambda _: None,
    ) -> Mover:
        stores = Stores(source=client, source_settings=settings, target=target, target_settings=settings_of_target)
        return Mover(stores, report=report, sleep=sleep)

    return new_mover


def _never(_: float) -> None:
    raise AssertionError("the move must not wait")


@dataclass(frozen=True, slots=True)
class Scene:
    """The verbs of an installation behind one URL."""

    client: Client
    settings: Settings
    store: TurnStore

    @classmethod
    def of(cls, client: Client, settings: Settings) -> "Scene":
        return cls(client, settings, open_turn_store(client, settings))

    def accept(self, session_id: str, text: str = "hello", **more: Any) -> Turn:
        return self.store.accept(TurnRequest(session_id=session_id, input=text, **more)).turn

    def claim(self, turn: Turn, worker: str = "w") -> Claim:
        claim = self.store.claim(turn.id, worker=worker, model="m")
        assert claim is not None
        return claim

    def complete(self, session_id: str, **more: Any) -> Turn:
        turn = self.accept(session_id, **more)
        claim = self.claim(turn)
        self.store.emit([claim.delta(0, LONG_ANSWER)])
        self.store.commit(claim, answer_of(claim, LONG_ANSWER), tail="", keeps_events=False, spending=SPENT)
        return turn

    def delete(self, turn_id: str) -> None:
        copies, placement = HistoryCopies(self.client, self.settings), ForkPlacement(self.client, self.settings)
        Deletion(self.store, copies, placement).delete(turn_id, tenant="-")


@pytest.fixture
def scene(client: Client, settings: Settings) -> Scene:
    """Return an installation that has something of each kind, with a turn of each state."""
    client.hset(keys.SERVICE.name, "hint", HINT)
    scene = Scene.of(client, settings)
    for number in range(12):
        scene.complete(f"done-{number}", user_id="alice" if number % 2 else None, idempotency_key=f"k-{number}")
    scene.delete(scene.complete("done-0").id)
    scene.store.cancel(scene.accept("cancelled").id)
    scene.store.fail(scene.claim(scene.accept("failed")), Code.CONTENT_FILTERED, spending=SPENT)
    _add_waiting_turns(scene)
    _add_the_rest(scene)
    return scene


@pytest.fixture
def cluster_scene(target: Client, target_settings: Settings) -> Scene:
    return Scene.of(target, target_settings)


def _add_waiting_turns(scene: Scene) -> None:
    for number in range(6):
        scene.accept(f"waits-{number}", "first", assistant=Assistant(name="a", system="You help."), user_id="bob")
        scene.accept(f"waits-{number}", "second", user_id="bob", start_within_seconds=3600)
    for number in range(3):
        scene.accept(f"batch-{number}", lane=Lane.BATCH)
    retried = scene.claim(scene.accept("retried"))
    scene.store.retry(retried, Code.PROVIDER_TIMEOUT, Retry(after_seconds=3600), model="m")
    Pauses(scene.client, scene.settings).pause(ServicePart(kind=PauseKind.TENANT, name="acme"), by="key", reason="bill")
    assert scene.store.claim(scene.accept("paused", tenant="acme").id, worker="w", model="m") is None
    held = scene.claim(scene.accept("held", assistant=Assistant(name="h", model="slow")))
    hold = Retry(after_seconds=3600, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=3600))
    scene.store.retry(held, Code.PROVIDER_RATE_LIMITED, hold, model="slow")


def _add_the_rest(scene: Scene) -> None:
    sessions = open_session_store(scene.client, scene.settings)
    sessions.import_messages(
        [Message(role="user", content="earlier", number=1, turn_id=None)], session_id="imported", user_id=None
    )
    secret, _ = ApiKeyStore(scene.client).create_key("acme", ["turns"], label="of acme")
    assert secret
    AuditLog(scene.client).append(Act(action="create_key", what="x"))
    scene.complete("erased", user_id="carol")
    assert open_erasures(scene.client, scene.settings).erase("carol", seconds=60).is_complete
