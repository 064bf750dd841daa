"""Prices: what a run costs, and what is wrong in a table of prices."""

from pathlib import Path

import pytest

from turns.assistants.loader import read_assistants
from turns.domain.errors import ConfigurationError
from turns.domain.run.spending import Usage, format_nano

ASSISTANTS = "[assistants.a]\n[assistants.b]\n"
PRICES = f"""{ASSISTANTS}
[prices]
currency = "EUR"
models."gpt-4o-mini" = {{ input = 0.15, cached_input = 0.075, output = 0.6, reasoning = 1 }}
models.plain = {{ input = 2, output = 8.5 }}
assistants.b = {{ input = 0, output = 0 }}
"""
USAGE = Usage(input_tokens=1000, output_tokens=100, total_tokens=1100, cached_tokens=400, reasoning_tokens=50)


def read(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "assistants.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("assistant", "model", "cost", "currency"),
    [
        ("a", "gpt-4o-mini", "0.0002", "EUR"),  # 600 at 0.15, 400 at 0.075, 50 at 0.6 and 50 at 1, for a million tokens
        ("a", "plain", "0.00285", "EUR"),  # cached input costs what input costs, reasoning what output costs
        ("b", "plain", "0.00", "EUR"),  # the assistant's price goes before the model's
        ("a", "unknown", "0.00", ""),
    ],
)
def test_a_run_costs_what_its_tokens_cost(tmp_path: Path, assistant: str, model: str, cost: str, currency: str) -> None:
    spent = read_assistants(read(tmp_path, PRICES)).prices.spend(assistant, model, USAGE, unreported_calls=2)
    assert (spent.cost, spent.currency, spent.usage, spent.unreported_calls) == (cost, currency, USAGE, 2)


def test_without_prices_tokens_cost_nothing(tmp_path: Path) -> None:
    spent = read_assistants(read(tmp_path, ASSISTANTS)).prices.spend("a", "plain", USAGE)
    assert spent.packed == "1000|400|100|50|0|0|"


def test_a_cost_is_rounded_to_the_nearest_billionth(tmp_path: Path) -> None:
    file = read(
        tmp_path, ASSISTANTS + "[prices]\ncurrency = 'USD'\nmodels.m = {input = 0.0375, output = 0.000000001}\n"
    )
    prices = read_assistants(file).prices
    assert prices.spend("a", "m", Usage(input_tokens=3, output_tokens=0, total_tokens=3)).cost_nano == 113
    assert prices.spend("a", "m", Usage(input_tokens=0, output_tokens=500_000, total_tokens=1)).cost_nano == 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (1, "0.000000001"), (10**9, "1.00"), (1_500_000_000, "1.50"), (12_340_000, "0.01234")],
)
def test_amounts_are_written_as_decimal_numbers(amount: int, text: str) -> None:
    assert format_nano(amount) == text


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ("currency = 'usd'", "prices.currency: must be three capital letters, such as USD"),
        ("models.m = {input = 1, output = 1}", "prices.currency: is missing"),
        ("currency = 'USD'\nmodels.m = {input = 1}", "prices.models.m.output: is missing"),
        ("currency = 'USD'\nmodels.m = {input = -1, output = 1}", "prices.models.m.input: must be from 0 to 10000"),
        ("currency = 'USD'\nmodels.m = {input = nan, output = 1}", "prices.models.m.input: must be from 0 to 10000"),
        ("currency = 'USD'\nmodels.m = {input = true, output = 1}", "prices.models.m.input: must be a number"),
        ("currency = 'USD'\nmodels.m = {input = 1e-10, output = 1}", "prices.models.m.input: must have at most nine"),
        (
            "currency = 'USD'\nmodels.m = {input = 1, output = 1, x = 1}",
            "prices.models.m.x: is not known; known fields: input",
        ),
        ("currency = 'USD'\nmodel.m = {}", "prices.model: is not known; known fields: currency, models, assistants"),
        ("currency = 'USD'\nassistants.c = {input = 1, output = 1}", "prices.assistants.c: there is no assistant"),
    ],
)
def test_an_error_names_the_price_and_the_rule(tmp_path: Path, table: str, error: str) -> None:
    file = read(tmp_path, f"{ASSISTANTS}[prices]\n{table}\n")
    with pytest.raises(ConfigurationError) as raised:
        read_assistants(file)
    assert str(raised.value).startswith(f"{file}: {error}")
