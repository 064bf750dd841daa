"""Find the errors that providers report in a stream, and classify errors by their codes, words and status.

The same error has the same code, whether it comes with an HTTP status or in a stream that began with 200.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from turns.domain.error_codes import Code
from turns.domain.errors import ModelErrorKind

MAX_MESSAGE = 4000  # characters of a provider's message that are searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A code, and how providers call it: in `error.code` or `error.type`, and in their messages with these statuses.

    None among the statuses is an error in a stream.
    """

    code: Code
    names: frozenset[str]
    words: re.Pattern[str]
    statuses: frozenset[int | None]


def _rule(code: Code, names: str, words: str, *statuses: int | None) -> Rule:
    return Rule(
        code=code, names=frozenset(names.split()), words=re.compile(words, re.IGNORECASE), statuses=frozenset(statuses)
    )


# The first rule that applies wins. Names are compared in lower case and without punctuation.
RULES = (
    _rule(
        Code.CONTENT_FILTERED,
        "contentfilter contentfiltered contentfiltererror contentpolicyviolation contentpolicyviolationerror "
        "responsibleaipolicyviolation datainspectionfailed moderationblocked moderationerror promptblocked safety "
        "guardrailintervened",
        r"content.?(filter|policy|management|moderation)|responsible.?ai|(was|were|been) flagged|flagged (as|for|by)"
        r"|requires moderation|safety (system|filter|polic)|inappropriate content",
        *(400, 403, 422, 451, 500, None),
    ),
    _rule(
        Code.CONTEXT_TOO_LONG,
        "contextlengthexceeded exceedcontextsizeerror contextwindowexceeded contextwindowexceedederror contexttoolong "
        "contextoverflow requesttoolarge requestentitytoolarge prompttoolong inputtoolong",
        r"context.?(length|size|window|limit)|maximum context|contextwindow|too long|too many (input )?tokens"
        r"|(longer|larger|greater) than the (maximum|model|context)|(input|prompt|tokens?)\b.{0,60}exceeds?\b"
        r"|max_new_tokens. must be|reduce the (length|size) of",
        *(400, 413, 422, 500, None),
    ),
    _rule(
        Code.PROVIDER_QUOTA,
        "insufficientquota insufficientbalance insufficientcredits insufficientfunds insufficientuserquota "
        "quotaexceeded exceededcurrentquotaerror billinghardlimitreached billingnotactive billingerror "
        "budgetexceeded creditsexhausted paymentrequired arrearage outofcredits",
        r"insufficient.{0,30}(quota|balance|credit|fund)|(balance|credits?|quota).{0,40}(insufficient|too low|exhausted"
        r"|used up|not enough|depleted)|exceeded your current quota|no credits|(out of|enough|more) credits"
        r"|payment required|hard limit|budget has been exceeded|overdue",
        *(400, 402, 403, 429, None),
    ),
    _rule(
        Code.PROVIDER_MODEL_NOT_FOUND,
        "modelnotfound modelnotfounderror modelnotexist modelnotexists modelnotavailable invalidmodel unknownmodel "
        "nosuchmodel modelretired modeldeprecated modelnotsupported deploymentnotfound",
        r"\bmodels?\b.{0,200}?(not found|(not|n't) exist|not exist|no longer|retired|has been deprecated|decommissioned"
        r"|not a valid|unknown|invalid)|(unknown|invalid|no such|no|not a valid) model\b|no endpoints found"
        r"|invalid model",
        *(400, 404, 410, 422, None),
    ),
    _rule(
        Code.PROVIDER_AUTHENTICATION,
        "invalidapikey incorrectapikey authenticationerror authenticationfailed unauthorized unauthenticated "
        "invalidauthentication invalidauthenticationerror permissiondenied permissionerror permissiondeniederror "
        "forbidden accessdenied missingapikey",
        r"(invalid|incorrect|wrong|missing|expired|no) api.?key|unauthori[sz]ed|api.?key (is )?(invalid|not valid)",
        *(400, None),
    ),
    _rule(
        Code.PROVIDER_RATE_LIMITED,
        "ratelimitexceeded ratelimiterror ratelimited ratelimitreached ratelimitreachederror ratelimit "
        "toomanyrequests throttling throttlingexception throttled requestslimitexceeded resourceexhausted",
        r"rate.?limit|too many requests|throttl",
        *(None,),
    ),
)

# A quota that is refilled soon is a rate limit.
REFILLED = re.compile(r"(retry|try again) (in|after)|per (second|minute|hour|day)\b|\b[rt]p[md]\b", re.IGNORECASE)

STATUS_CODES = MappingProxyType(
    {
        401: Code.PROVIDER_AUTHENTICATION,
        402: Code.PROVIDER_QUOTA,
        403: Code.PROVIDER_AUTHENTICATION,
        407: Code.PROVIDER_AUTHENTICATION,
        408: Code.PROVIDER_ERROR,
        409: Code.PROVIDER_ERROR,
        413: Code.CONTEXT_TOO_LONG,
        425: Code.PROVIDER_ERROR,
        429: Code.PROVIDER_RATE_LIMITED,
        498: Code.PROVIDER_ERROR,  # Groq: no capacity
        499: Code.PROVIDER_ERROR,
    }
)
KINDS = MappingProxyType(
    {
        Code.PROVIDER_ERROR: ModelErrorKind.RETRYABLE,
        Code.PROVIDER_RATE_LIMITED: ModelErrorKind.RATE_LIMITED,
    }
)


@dataclass(frozen=True, slots=True)
class ReportedError:
    """An error as the provider reports it: its `error` object, or what it sends in place of one."""

    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The provider's message. It may quote the conversation, so neither logs nor callers may get it."""
        texts = (self.body.get(name) for name in ("message", "error_message", "msg", "detail", "error", "details"))
        return next((text for text in texts if isinstance(text, str)), "")[:MAX_MESSAGE]

    @property
    def is_filtered(self) -> bool:
        return self.code() is Code.CONTENT_FILTERED

    @property
    def status(self) -> int | None:
        """The status that the body of an error in a stream names, as a number or as text."""
        values = (self.body.get(name) for name in ("code", "status", "status_code", "http_status", "error_code"))
        texts = (str(value) for value in values if isinstance(value, str | int))
        return next((int(text) for text in texts if re.fullmatch(r"[45]\d\d", text)), None)

    def code(self, status: int | None = None, *, is_refilled: bool = False) -> Code:
        """Return the code; `status` is None for an error in a stream, `is_refilled` if a retry was announced."""
        names, message = set(self._names()), self.message
        named_status = status or self.status
        for rule in RULES:
            if names & rule.names or (
                {status, named_status} & rule.statuses
                and rule.words.search(message)
                and not (named_status == 429 and _is_limit(rule.code, message, is_refilled=is_refilled))
            ):
                # A request that is larger than the limit of a minute would not fit later either.
                is_too_large = rule.code is Code.PROVIDER_RATE_LIMITED and named_status == 413
                return Code.CONTEXT_TOO_LONG if is_too_large else rule.code
        if named_status == 404 and re.search(r"\bmodel\b", message, re.IGNORECASE):
            return Code.PROVIDER_MODEL_NOT_FOUND
        return _code_of_status(named_status, names)

    def _names(self) -> Iterator[str]:
        inner = self.body.get("innererror"), self.body.get("error")
        for body in (self.body, *(one for one in inner if isinstance(one, dict))):
            for name in ("code", "type", "error_type", "error_code", "status"):
                if isinstance(value := body.get(name), str):
                    yield re.sub(r"[\W_]", "", value).lower()


def _is_limit(code: Code, message: str, *, is_refilled: bool) -> bool:
    """Return whether a 429 with such words is a rate limit: of tokens per minute, or a quota that is refilled soon."""
    return code is Code.CONTEXT_TOO_LONG or (
        code is Code.PROVIDER_QUOTA and (is_refilled or REFILLED.search(message) is not None)
    )


def _code_of_status(status: int | None, names: set[str]) -> Code:
    if status is not None and status in STATUS_CODES:
        return STATUS_CODES[status]
    if status is None:
        is_rejected = bool({"badrequest", "badrequesterror", "invalidrequesterror", "invalidrequest"} & names)
    else:
        is_rejected = status < 500
    return Code.PROVIDER_REJECTED if is_rejected else Code.PROVIDER_ERROR


def kind_of(code: Code) -> ModelErrorKind:
    """Return how the retry policy treats a reported error."""
    return KINDS.get(code, ModelErrorKind.HOPELESS)


def find_error(chunk: Mapping[str, Any]) -> ReportedError | None:
    """Return the error that a chunk of a stream reports, with or without a field `error`; None if it has none."""
    if error := chunk.get("error"):
        return to_reported_error(error)
    if not (choices := chunk.get("choices")):
        is_error = "error" in {chunk.get("object"), chunk.get("type")} if _has_names(chunk) else False
        has_code = "message" in chunk and ("code" in chunk or "status" in chunk)
        if (
            is_error
            or has_code
            or not {"error_type", "error_message", "error_code", "detail", "errors"}.isdisjoint(chunk)
        ):
            return to_reported_error(chunk.get("errors") or chunk)
        return None
    for choice in choices:
        if (error := choice.get("error")) or str(choice.get("finish_reason")).lower() == "error":
            return to_reported_error(error or {})
    return None


def to_reported_error(error: object) -> ReportedError:
    """Return the error in a body, whatever its form."""
    while isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, str):
        return ReportedError({"message": error})
    return ReportedError(error if isinstance(error, dict) else {})


def _has_names(chunk: Mapping[str, Any]) -> bool:
    return all(isinstance(chunk.get(name), str | None) for name in ("object", "type"))
