"""Tests of the names of the parts that can be paused."""

import pytest

from turns.domain.errors import InvalidRequest
from turns.pauses.part import INTAKE, PauseKind, ServicePart


@pytest.mark.parametrize(
    ("kind", "name", "text", "label"),
    [
        ("intake", "", "intake", "the intake"),
        ("workers", "", "workers", "the workers"),
        ("tenant", "-", "tenant/-", "the tenant -"),
        ("tenant", "acme", "tenant/acme", "the tenant acme"),
        ("assistant", "a.b", "assistant/a.b", "the assistant a.b"),
        ("lane", "batch", "lane/batch", "the lane batch"),
        ("provider", "default", "provider/default", "the provider default"),
        ("provider", "[::1]:8080", "provider/[::1]:8080", "the provider [::1]:8080"),
        ("model", "org/m:7b", "model/org/m:7b", "the model org/m:7b"),
    ],
)
def test_each_part_has_a_name(kind: str, name: str, text: str, label: str) -> None:
    part = ServicePart.parse(kind, name)
    assert (str(part), part.label, ServicePart.from_text(text)) == (text, label, part)


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [
        ("queue", "x", "kind: must be one of intake, workers, tenant, assistant, lane, provider, model"),
        ("workers", "w", "name: must be empty, because workers has no parts"),
        ("lane", "fast", "name: must be one of interactive, batch"),
        ("tenant", "", "name: must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and not . or .. or -"),
        ("assistant", "-", "name: must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and not . or .. or -"),
        ("provider", "https://x", "name: must be `default` or the host of a base URL in lower case, with its port"),
        ("model", "m" * 256, "name: must be 1 to 255 printable characters"),
        ("model", "a\nb", "name: must be 1 to 255 printable characters"),
    ],
)
def test_a_wrong_name_is_refused_with_its_rule(kind: str, name: str, error: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ServicePart.parse(kind, name)
    assert error in str(refused.value)


@pytest.mark.parametrize("text", ["", "live", "tenant", "tenant/", "workers/w", "completed_at:tenant/acme"])
def test_other_fields_of_the_service_are_no_parts(text: str) -> None:
    assert ServicePart.from_text(text) is None


def test_the_whole_service_has_parts_without_a_name() -> None:
    assert [kind for kind in PauseKind if not kind.is_named] == ["intake", "workers"]
    assert INTAKE.kind is PauseKind.INTAKE
