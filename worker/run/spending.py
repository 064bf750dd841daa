"""The tokens and cost of a run: as far as its provider has reported them, and the calls without a report."""

from turns.assistants.prices import Prices
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError
from turns.domain.run.spending import NO_TOKENS, Spending
from worker.provider.models import OFFLINE_MODEL
from worker.run.active_runs import ActiveRun

UNKNOWN = Spending(unreported_calls=1)

# Failures with which a provider bills nothing, as long as no text has arrived.
UNBILLED = frozenset(
    {
        Code.CONTEXT_TOO_LONG,
        Code.PROVIDER_AUTHENTICATION,
        Code.PROVIDER_MODEL_NOT_FOUND,
        Code.PROVIDER_QUOTA,
        Code.PROVIDER_RATE_LIMITED,
        Code.PROVIDER_REJECTED,
        Code.PROVIDER_UNREACHABLE,
    }
)


def spending_of(active: ActiveRun, prices: Prices, refusal: ModelError | None = None) -> Spending:
    """Return what the run took until now, at present prices.

    `refusal`: the error that ended its last call, if no text had arrived.
    """
    usage, unreported = active.reported()
    if active.claim.model == OFFLINE_MODEL or (refusal and is_unbilled(refusal)):
        unreported = max(0, unreported - 1)
    return prices.spend(
        active.claim.assistant.name, active.claim.model, usage or NO_TOKENS, unreported_calls=unreported
    )


def is_unbilled(error: ModelError) -> bool:
    """Return whether the provider, or the network, refused the request before the model ran."""
    return error.code in UNBILLED or (error.code is Code.PROVIDER_ERROR and error.provider_status is not None)


def log_facts(active: ActiveRun, spending: Spending) -> dict[str, str | int | float]:
    """Return the fields of the events with which a run ends."""
    tokens, priced = spending.usage, spending.currency
    return {
        **active.request.ids,
        "model": active.claim.model,
        "wait_seconds": active.claim.waited_ms / 1000,
        "duration_seconds": round(active.duration_seconds, 3),
        "input_tokens": tokens.input_tokens,
        "cached_tokens": tokens.cached_tokens,
        "output_tokens": tokens.output_tokens,
        "reasoning_tokens": tokens.reasoning_tokens,
        **({"unreported_calls": spending.unreported_calls} if spending.unreported_calls else {}),
        **({"cost": spending.cost, "currency": priced} if priced else {}),
    }
