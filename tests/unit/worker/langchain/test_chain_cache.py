"""Test which turns share a chain and which share a model."""

import threading
from typing import Any

import pytest
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from structlog.testing import capture_logs

from tests.unit.worker.run.stand_ins import make_claim
from turns.assistants.overrides import settings_for
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT, Assistant, RunsIn
from turns.domain.errors import ConfigurationError, ModelError
from turns.domain.model_parameters import ModelParameters
from worker.langchain import chain_cache
from worker.langchain.chain import ChainRun, build_chain
from worker.langchain.chain_cache import ChainCache
from worker.langchain.custom_chain import CustomChainRun
from worker.provider.models import build_model

SETTINGS = Settings(openai_base_url="http://127.0.0.1:9/v1", model="m")
built: list[str] = []


def build() -> Runnable[Any, Any]:
    built.append("chain")
    return RunnableLambda(lambda _: "x")


CUSTOM = Assistant(name="custom", chain=f"{__name__}:build")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for processes that a busy machine starts slowly."""
    monkeypatch.setattr(chain_cache, "BUILD_SECONDS", 300)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record which models and chains are built."""
    calls: list[tuple[str, str]] = []

    def model(settings: Settings, parameters: ModelParameters) -> Any:
        calls.append(("model", settings.model))
        return build_model(settings, parameters)

    def chain(assistant: Assistant, model: Any, **options: bool) -> Any:
        calls.append(("chain", assistant.name))
        return build_chain(assistant, model, **options)

    monkeypatch.setattr(chain_cache, "build_model", model)
    monkeypatch.setattr(chain_cache, "build_chain", chain)
    built.clear()
    return calls


def create(cache: ChainCache, assistant: Assistant, *, model: str = "m") -> ChainRun:
    return cache.create_run(make_claim(assistant=assistant, model=model), settings_for(assistant, SETTINGS))


def test_a_chain_is_built_once_for_a_version_and_a_model(calls: list[Any]) -> None:
    cache = ChainCache(permits=lambda _: True)
    for _ in range(2):
        create(cache, DEFAULT)
    assert calls == [("model", "m"), ("chain", "default")]
    create(cache, DEFAULT, model="fallback")
    assert calls[2:] == [("model", "fallback"), ("chain", "default")]


def test_another_version_of_an_assistant_has_another_chain(calls: list[Any]) -> None:
    cache = ChainCache(permits=lambda _: True)
    create(cache, Assistant(name="a", system="You are kind."))
    create(cache, Assistant(name="a", system="You are rude."))
    assert calls == [("model", "m"), ("chain", "a"), ("chain", "a")], "they share the model and its connections"


@pytest.mark.parametrize(
    "field",
    [
        {"temperature": 0.5},
        {"max_tokens": 7},
        {"extra": {"top_k": 3}},
        {"idle_seconds": 1.0},
        {"base_url": "http://127.0.0.1:8/v1"},
    ],
)
def test_another_way_of_calling_the_provider_is_another_model(calls: list[Any], field: dict[str, Any]) -> None:
    cache = ChainCache(permits=lambda _: True)
    create(cache, Assistant(name="a"))
    create(cache, Assistant(name="b", **field))
    assert [kind for kind, _ in calls] == ["model", "chain"] * 2


def test_prepared_chains_are_not_built_again(calls: list[Any]) -> None:
    cache = ChainCache(permits=lambda _: True)
    own = Assistant(name="own", model="own-model")
    cache.prepare([DEFAULT, own], SETTINGS)
    assert calls == [("model", "m"), ("chain", "default"), ("model", "own-model"), ("chain", "own")]
    create(cache, DEFAULT)
    create(cache, own, model="own-model")
    assert len(calls) == 4


def test_a_custom_chain_is_built_at_the_start(calls: list[Any]) -> None:
    cache = ChainCache(permits=lambda _: True)
    cache.prepare([CUSTOM], SETTINGS)
    assert built == ["chain"]
    for _ in range(2):
        assert "".join(create(cache, CUSTOM).deltas()) == "x"
    assert built == ["chain"]


def test_without_preparation_a_chain_is_built_when_it_runs(calls: list[Any]) -> None:
    cache = ChainCache(permits=lambda _: True)
    run = create(cache, CUSTOM)
    assert isinstance(run, CustomChainRun)
    assert (built, calls) == ([], [])
    assert "".join(run.deltas()) == "x"


def remembering() -> Runnable[Any, Any]:
    builder = StateGraph(MessagesState)
    builder.add_node("node", lambda state: state)
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=InMemorySaver())


def raising() -> Runnable[Any, Any]:
    raise SystemExit("SHOP_URL is not set")


@pytest.mark.parametrize("runs_in", [RunsIn.THREAD, RunsIn.PROCESS])
def test_a_chain_that_no_turn_can_run_is_refused(calls: list[Any], runs_in: RunsIn) -> None:
    refused = Assistant(name="notes", chain=f"{__name__}:remembering", runs_in=runs_in)
    with pytest.raises(ConfigurationError, match=r"^assistants.toml: assistants.notes.chain: the graph has a chec"):
        ChainCache(permits=lambda _: True).prepare([CUSTOM, refused], SETTINGS)


@pytest.mark.parametrize("runs_in", [RunsIn.THREAD, RunsIn.PROCESS])
def test_a_factory_that_raises_does_not_stop_the_worker(calls: list[Any], runs_in: RunsIn) -> None:
    broken = Assistant(name="shop", chain=f"{__name__}:raising", runs_in=runs_in)
    with capture_logs() as logs:
        ChainCache(permits=lambda _: True).prepare([broken, CUSTOM], SETTINGS)
    [line] = logs
    assert (line["event"], line["assistant"]) == ("chain.not_built", "shop")
    assert "SHOP_URL is not set" in line["error"]
    assert built == ["chain"], "the other chains are built"


def test_a_slow_factory_does_not_delay_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(chain_cache, "BUILD_SECONDS", 0.01)
    monkeypatch.setattr(chain_cache, "find_factory", lambda _: go.wait)
    ChainCache(permits=lambda _: True).prepare([CUSTOM], SETTINGS)
    go.set()


def test_a_late_refusal_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    go, was_logged, logged = threading.Event(), threading.Event(), []

    class Logger:
        def error(self, event: str, **fields: str) -> None:
            logged.append((event, fields["assistant"]))
            was_logged.set()

    monkeypatch.setattr(chain_cache, "BUILD_SECONDS", 0.01)
    monkeypatch.setattr(chain_cache, "get_logger", Logger)
    monkeypatch.setattr(chain_cache, "find_factory", lambda _: lambda: go.wait() and remembering())
    ChainCache(permits=lambda _: True).prepare([CUSTOM], SETTINGS)
    go.set()
    assert was_logged.wait(10)
    assert logged == [("chain.not_built", CUSTOM.name)]


def test_a_full_cache_is_emptied(calls: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_cache, "MAX_CHAINS", 2)
    cache = ChainCache(permits=lambda _: True)
    for name in ("a", "b", "c", "c", "a"):
        create(cache, Assistant(name=name))
    assert [name for kind, name in calls if kind == "chain"] == ["a", "b", "c", "a"]


@pytest.mark.parametrize("field", [{"chain": f"{__name__}:build"}, {"base_url": "http://evil.example/v1"}])
def test_what_the_worker_s_file_does_not_name_is_not_built(calls: list[Any], field: dict[str, Any]) -> None:
    cache = ChainCache(permits=lambda _: False)
    with pytest.raises(ModelError) as error:
        create(cache, Assistant(name="a", **field))
    assert error.value.code == "assistant_not_configured"
    assert (calls, built) == ([], [])
