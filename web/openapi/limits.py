"""The limits of requests in words, for the page `/docs` and the documentation."""

from turns.config.settings import MAX_INPUT_BYTES
from turns.domain.ids import ID_RULE, NAME_RULE
from turns.response_format.rules import MAX_DEPTH, MAX_SCHEMA_BYTES
from web.http.validation import MAX_KEY_CHARACTERS
from web.schemas import field_types, queries, requests


def request_limits(max_input_bytes: int) -> dict[str, str]:
    """Return each limited value, in Markdown, with its limit."""
    names, values = field_types.MAX_VARIABLE_NAME_BYTES, field_types.MAX_VARIABLE_BYTES
    metadata_names, metadata_values = field_types.MAX_METADATA_NAME_BYTES, field_types.MAX_METADATA_BYTES
    return {
        "`session_id`, `user_id`": ID_RULE.removeprefix("must be "),
        "`assistant`": NAME_RULE.removeprefix("must be "),
        "`input`": f"1 to {max_input_bytes:,} bytes; `INTURN_MAX_INPUT_BYTES` is up to {MAX_INPUT_BYTES:,}",
        "`variables`": f"{requests.MAX_VARIABLES}, with names of at most {names} and values of {values:,} bytes",
        "`metadata`": f"{requests.MAX_METADATA}, with names of 1 to {metadata_names} and values of at most "
        f"{metadata_values} bytes",
        "`start_within_seconds`": f"{requests.MAX_START_WITHIN_SECONDS:,}",
        "`response_format`": f"a JSON schema of at most {MAX_SCHEMA_BYTES:,} bytes and {MAX_DEPTH} levels, without "
        "references to other documents",
        "`Idempotency-Key`": f"1 to {MAX_KEY_CHARACTERS} printable ASCII characters",
        "Turns of a batch": f"{requests.MAX_BATCH}",
        "Imported messages": f"{requests.MAX_IMPORTED:,}, each of at most {field_types.MAX_CONTENT_BYTES:,} bytes",
        "Items of a page": f"{queries.MAX_LIMIT}",
        "Seconds of a `wait`": f"{queries.MAX_WAIT_SECONDS}",
    }
