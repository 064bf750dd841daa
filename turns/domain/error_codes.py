"""The stable codes of failed turns, and the message that callers get with each.

The messages contain neither text of the provider nor internal details, which are in the log only. With an error of
the provider they name the model and the HTTP status.
"""

from enum import StrEnum
from types import MappingProxyType


class Code(StrEnum):
    ANSWER_TOO_LARGE = "answer_too_large"
    ASSISTANT_NOT_CONFIGURED = "assistant_not_configured"
    CHAIN_ERROR = "chain_error"
    CONTENT_FILTERED = "content_filtered"
    CONTEXT_TOO_LONG = "context_too_long"
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    HISTORY_UNUSABLE = "history_unusable"
    HISTORY_WRITE_FAILED = "history_write_failed"
    INCOMPLETE_ANSWER = "incomplete_answer"
    OUTPUT_INVALID = "output_invalid"
    PROVIDER_AUTHENTICATION = "provider_authentication"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_MODEL_NOT_FOUND = "provider_model_not_found"
    PROVIDER_PROTOCOL = "provider_protocol"
    PROVIDER_QUOTA = "provider_quota"
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    TURN_NOT_LAST = "turn_not_last"
    WORKER_ERROR = "worker_error"
    WORKER_LOST = "worker_lost"


MESSAGES = MappingProxyType(
    {
        Code.ANSWER_TOO_LARGE: "The model's answer was larger than is allowed.",
        Code.ASSISTANT_NOT_CONFIGURED: "The workers are not configured for the provider or code of this assistant.",
        Code.CHAIN_ERROR: "The assistant failed while it worked on this turn.",
        Code.CONTENT_FILTERED: "The model's provider withheld the answer.",
        Code.CONTEXT_TOO_LONG: "The conversation is longer than the model accepts.",
        Code.FILE_MISSING: "A file of this turn does not exist any more.",
        Code.FILE_UNREADABLE: "A file of this turn could not be read.",
        Code.HISTORY_UNUSABLE: "The history of this session cannot be used.",
        Code.HISTORY_WRITE_FAILED: "The history of this session could not be written.",
        Code.INCOMPLETE_ANSWER: "The model's answer broke off before its end.",
        Code.OUTPUT_INVALID: "The model's answer did not have the required form.",
        Code.PROVIDER_AUTHENTICATION: "The model's provider refused this service's credentials.",
        Code.PROVIDER_ERROR: "The model's provider had an error.",
        Code.PROVIDER_MODEL_NOT_FOUND: "The model's provider does not have this model.",
        Code.PROVIDER_PROTOCOL: "The model's provider answered in a form that cannot be used.",
        Code.PROVIDER_QUOTA: "This service's quota at the model's provider is used up.",
        Code.PROVIDER_RATE_LIMITED: "The model's provider is limiting requests.",
        Code.PROVIDER_REJECTED: "The model's provider rejected the request.",
        Code.PROVIDER_TIMEOUT: "The model's provider did not answer in time.",
        Code.PROVIDER_UNREACHABLE: "The model's provider could not be reached.",
        Code.TURN_NOT_LAST: "The turn that this one regenerates was no longer the last one of the session.",
        Code.WORKER_ERROR: "The worker failed while it worked on this turn.",
        Code.WORKER_LOST: "The workers that ran this turn stopped before they could finish it.",
    }
)


def error_message(code: Code | str, *, model: str | None, provider_status: int | None) -> str:
    """Return the message of a failed turn, with the model and the status if they are part of the reason.

    A newer release may have given it a code that this one does not know.
    """
    message = MESSAGES[code] if isinstance(code, Code) else "The turn failed."
    is_from_provider = code.startswith("provider_") or provider_status is not None
    details = [f"model: {model}"] if is_from_provider and model else []
    if provider_status is not None:
        details.append(f"HTTP status: {provider_status}")
    return f"{message} ({', '.join(details)})" if details else message
