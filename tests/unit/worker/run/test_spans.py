"""The spans of a run have the attributes that OpenTelemetry's conventions name, and no text."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.unit.worker.run.test_execution import UNREACHABLE, refused
from tests.unit.worker.run.worker import Worker
from turns.config import tracing
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, ModelError, ModelErrorKind
from turns.domain.run.answer import Answer
from turns.domain.run.spending import Usage
from worker.run.spans import describe_provider, generation_span, record_answer

ANSWER = Answer(
    question_message="{}",
    answer_message="{}",
    output="a secret answer",
    model="gpt-4o-mini-2024-07-18",
    usage=Usage(input_tokens=12, output_tokens=5, total_tokens=17, cached_tokens=8, reasoning_tokens=3),
)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("inturn"))
    yield exporter
    provider.shutdown()


@pytest.fixture
def worker() -> Worker:
    return Worker()


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name.partition(" ")[0]: span for span in exporter.get_finished_spans()}


def test_a_run_names_its_turn_and_its_conversation(worker: Worker, exporter: InMemorySpanExporter) -> None:
    worker.run("Hello", session="acme/-/s", session_id="s", user_id="ada")
    run = by_name(exporter)["run_turn"]
    assert dict(run.attributes or {}) == {
        "gen_ai.agent.name": "scripted",
        "gen_ai.conversation.id": "s",
        "inturn.attempt": 1,
        "inturn.tenant": "acme",
        "inturn.turn.id": worker.claim.turn_id,
    }
    assert run.status.status_code is StatusCode.UNSET


def test_a_custom_chain_is_an_agent(worker: Worker, exporter: InMemorySpanExporter) -> None:
    worker.run("Hello")
    spans = by_name(exporter)
    agent = spans["invoke_agent"]
    assert agent.name == "invoke_agent scripted"
    assert (agent.attributes or {})["gen_ai.operation.name"] == "invoke_agent"
    assert agent.parent is not None
    assert agent.parent.span_id == spans["run_turn"].context.span_id


def test_a_call_of_a_model_has_its_provider_and_its_tokens(worker: Worker, exporter: InMemorySpanExporter) -> None:
    worker.run("Hello", assistant=Assistant(name="plain"), session_id="s")
    exporter.clear()
    with generation_span(worker.claim, Settings(openai_base_url="https://user:pw@eu.api.mistral.ai:8443/v1?key=k")):
        record_answer(ANSWER)
    [call] = exporter.get_finished_spans()
    assert call.name == "chat offline"
    assert dict(call.attributes or {}) == {
        "gen_ai.conversation.id": "s",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "offline",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.cache_read.input_tokens": 8,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "server.address": "eu.api.mistral.ai",
        "server.port": 8443,
    }


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://mine.openai.azure.com/openai/deployments/x?api-version=1", "azure.ai.openai"),
        ("https://api.x.ai/v1", "x_ai"),
        ("https://notx.ai/v1", "openai"),
        ("http://127.0.0.1:11434/v1", "openai"),
    ],
)
def test_a_provider_is_named_by_its_host(url: str, name: str) -> None:
    assert describe_provider(url)["gen_ai.provider.name"] == name


@pytest.mark.parametrize(
    ("step", "error_type"),
    [
        (UNREACHABLE, Code.PROVIDER_UNREACHABLE),
        (refused(401), Code.PROVIDER_AUTHENTICATION),
        (ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS), Code.ANSWER_TOO_LARGE),
    ],
)
def test_a_failed_attempt_marks_both_spans(
    worker: Worker, exporter: InMemorySpanExporter, step: Exception, error_type: Code
) -> None:
    worker.run("Hello", step)
    for span in exporter.get_finished_spans():
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == error_type


@pytest.mark.parametrize("error", [LeaseLost(), OSError("a secret")])
def test_a_run_whose_write_fails_is_marked(worker: Worker, exporter: InMemorySpanExporter, error: Exception) -> None:
    worker.store.errors["commit"] = [error]
    worker.run("Hello")
    assert by_name(exporter)["run_turn"].status.status_code is StatusCode.ERROR
    assert by_name(exporter)["invoke_agent"].status.status_code is StatusCode.UNSET


def test_no_span_contains_a_text(worker: Worker, exporter: InMemorySpanExporter) -> None:
    worker.run("a secret answer", input="a secret question")
    worker.run("a secret answer", ValueError("a secret error"), input="a secret question")
    spans: list[Any] = [span.to_json() for span in exporter.get_finished_spans()]
    assert len(spans) == 4
    assert "secret" not in str(spans)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "inturn-web"),
        ({"OTEL_SERVICE_NAME": "chat"}, None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=prod, service.name=chat"}, None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=prod"}, "inturn-web"),
    ],
)
def test_a_service_name_of_the_environment_is_kept(environment: dict[str, str], name: str | None) -> None:
    attributes = tracing.describe_process("web", environment)
    assert attributes.get("service.name") == name
    assert attributes["inturn.role"] == "web"
