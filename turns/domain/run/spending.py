"""The tokens, the calls and the cost of a run."""

import json
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts as reported by the provider.

    `cached_tokens` are part of the input, `reasoning_tokens` of the output; both are 0 if it does not report them.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def to_stored(self) -> str:
        """Return the counts as they are stored, in the order of the fields, without the optional ones if they are 0."""
        required = (self.input_tokens, self.output_tokens, self.total_tokens)
        optional = (self.cached_tokens, self.reasoning_tokens)
        return ",".join(map(str, (*required, *(optional if any(optional) else ()))))

    @classmethod
    def from_stored(cls, text: str) -> Self:
        """Parse stored counts; earlier releases have stored them as JSON."""
        names = [f.name for f in fields(cls)]
        counts = json.loads(text) if text.startswith("{") else dict(zip(names, map(int, text.split(",")), strict=False))
        return cls(**{name: counts[name] for name in names if name in counts})

    def __add__(self, more: "Usage") -> "Usage":
        return Usage(**{f.name: getattr(self, f.name) + getattr(more, f.name) for f in fields(Usage)})


def format_nano(amount: int) -> str:
    """Return an amount in billionths as a decimal number with at least two decimals."""
    whole, nano = divmod(amount, 10**9)
    return f"{whole}.{f'{nano:09}'.rstrip('0'):0<2}"


NO_TOKENS = Usage(input_tokens=0, output_tokens=0, total_tokens=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The tokens, calls and cost of one run, whether or not it ended its turn.

    `unreported_calls`: calls of a model that may have cost something and whose tokens the provider has not reported.
    `cost_nano` is in billionths of `currency`, which is "" if the tokens have no price.
    """

    usage: Usage = NO_TOKENS
    unreported_calls: int = 0
    cost_nano: int = 0
    currency: str = ""

    @property
    def cost(self) -> str:
        """The cost as a decimal number."""
        return format_nano(self.cost_nano)

    @property
    def packed(self) -> str:
        """Return the fields of an entry of the list of usage, as `append_usage.lua` writes it."""
        tokens = self.usage
        counts = (tokens.input_tokens, tokens.cached_tokens, tokens.output_tokens, tokens.reasoning_tokens)
        return "|".join(map(str, (*counts, self.unreported_calls, self.cost_nano, self.currency)))
