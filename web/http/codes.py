"""The `code` of the problems that are errors of HTTP itself."""

from types import MappingProxyType

MEDIA_TYPE = "application/problem+json"

HTTP_CODES = MappingProxyType(
    {
        400: "invalid_request",
        404: "not_found",
        405: "method_not_allowed",
        406: "not_acceptable",
        408: "request_timeout",
        413: "content_too_large",
        414: "uri_too_long",
        415: "unsupported_media_type",
        417: "expectation_failed",
        431: "headers_too_large",
        500: "internal_error",
        501: "not_implemented",
    }
)
