"""The prices of tokens in `assistants.toml`, and what the tokens of a run cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from turns.assistants.table import Table
from turns.domain.run.spending import Spending, Usage

CURRENCY = re.compile(r"[A-Z]{3}")
NANO = 10**9  # amounts are integers in billionths of the currency, because binary fractions do not add up exactly
PER_TOKENS = 1_000_000
MAX_PRICE = 10_000  # of a million tokens; a thousand times the usual one, so that the sums of a day stay exact in Lua
MAX_MODELS = 1000

# Billionths of the currency for a million tokens.
NanoPrice = int


def _to_nano(value: object) -> object:
    """Return a price in billionths; raise ValueError unless it is a decimal number that the sums can have."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number, the price of a million tokens")
    if not 0 <= value <= MAX_PRICE:
        raise ValueError(f"must be from 0 to {MAX_PRICE}, the price of a million tokens")
    nano = Decimal(str(value)) * NANO
    if nano != nano.to_integral_value():
        raise ValueError("must have at most nine decimals")
    return int(nano)


def _currency(value: str) -> str:
    if not CURRENCY.fullmatch(value):
        raise ValueError("must be three capital letters, such as USD")
    return value


Price = Annotated[NanoPrice, BeforeValidator(_to_nano)]


class PriceTable(Table):
    """One `[prices.models.MODEL]` or `[prices.assistants.NAME]`, for a million tokens."""

    input: Price = Field(description="Price of a million input tokens, such as `0.15`")
    cached_input: Price | None = Field(
        None, description="Price of input tokens that the provider has cached. Default: that of `input`"
    )
    output: Price = Field(description="Price of a million output tokens")
    reasoning: Price | None = Field(
        None, description="Price of output tokens of a model's reasoning. Default: that of `output`"
    )

    def cost_nano(self, usage: Usage) -> int:
        """Return what the tokens cost in billionths of the currency, rounded to the nearest one."""
        cached = self.input if self.cached_input is None else self.cached_input
        reasoning = self.output if self.reasoning is None else self.reasoning
        total = (
            (usage.input_tokens - usage.cached_tokens) * self.input
            + usage.cached_tokens * cached
            + (usage.output_tokens - usage.reasoning_tokens) * self.output
            + usage.reasoning_tokens * reasoning
        )
        return (total + PER_TOKENS // 2) // PER_TOKENS


class PricesTable(Table):
    """`[prices]`."""

    currency: Annotated[str, AfterValidator(_currency)] = Field(
        description="Currency of all prices, as three capital letters"
    )
    models: dict[str, PriceTable] = Field(
        default_factory=dict, max_length=MAX_MODELS, description="A table for each model, by its name"
    )
    assistants: dict[str, PriceTable] = Field(
        default_factory=dict, description="A table for each assistant whose calls have another price than its model"
    )


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of this process; without any, tokens are counted and cost nothing."""

    currency: str = ""
    models: Mapping[str, PriceTable] = field(default_factory=dict)
    assistants: Mapping[str, PriceTable] = field(default_factory=dict)

    def spend(self, assistant: str, model: str, usage: Usage, *, unreported_calls: int = 0) -> Spending:
        """Return what a run took, at the present price of its assistant or else of its model."""
        price = self.assistants.get(assistant) or self.models.get(model)
        if price is None:
            return Spending(usage=usage, unreported_calls=unreported_calls)
        return Spending(
            usage=usage,
            unreported_calls=unreported_calls,
            cost_nano=price.cost_nano(usage),
            currency=self.currency,
        )
