"""Examples of responses, made from their JSON Schemas, so that a new field has an example at once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from turns.config.version import VERSION

Json = dict[str, Any]

TURN_ID = "turn_01a2073c9fe1775a924bcc85e05eaf46"
KEY_ID = "7b1f0c9d2e4a"
JOB_ID = "retry-2026-11-27"
FILE_ID = "file_0c3e6a4b8d2f4e5a9b7c1d0e2f3a4b5c"
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "turn_id": TURN_ID,
        "session_id": "foobar",
        "tenant": "acme",
        "worker": "worker-1:42:c0ffee",
        "switch": "workers",
        "kind": "tenant",
        "name": "acme",
        "key_id": KEY_ID,
        "job_id": JOB_ID,
        "file_id": FILE_ID,
    }
)
TYPES: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}
)
PLACEHOLDERS: Mapping[str, Any] = MappingProxyType({"string": "…", "integer": 1, "number": 0.5, "boolean": False})
# By the name of the field, used where the schema allows the value. A nullable field that is missing here is null.
VALUES: Mapping[str, Any] = MappingProxyType(
    {
        **NAMES,
        "api_key": f"inturn_{KEY_ID}_…",
        "scopes": "turns",
        "id": TURN_ID,
        "user_id": "alice",
        "status": "completed",
        "status_reason": None,
        "input": "What does cosine mean?",
        "content": "Cosine is the ratio of the adjacent side to the hypotenuse.",
        "text": "Cosine is the ratio",
        "model": "gpt-4o-mini",
        "assistant": "default",
        "name": "default",
        "role": "assistant",
        "number": 2,
        "turn_ids": [TURN_ID],
        "queued_turns": [],
        "running_turns": [],
        "workers": [],
        "findings": [],
        "series": [],
        "holds": [],
        "lane": "interactive",
        "metadata": {"plan": "pro"},
        "variables": {},
        "description": "A helpful assistant",
        "code": "provider_unreachable",
        "message": "The model's provider could not be reached.",
        "input_tokens": 25,
        "output_tokens": 14,
        "total_tokens": 39,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
        "cost": {"USD": "0.0012"},
        "losses": 0,
        "behind": 0,
        "has_more": False,
        "is_alive": True,
        "are_all": True,
        "live_workers": 2,
        "live_turns": 3,
        "message_count": 2,
        "max_input_bytes": 131072,
        "accepted_at": "2026-11-27T09:00:00.000Z",
        "started_at": "2026-11-27T09:00:00.012Z",
        "first_token_at": "2026-11-27T09:00:00.540Z",
        "finished_at": "2026-11-27T09:00:01.250Z",
        "expires_at": "2026-11-28T09:00:01.250Z",
        "last_active_at": "2026-11-27T09:00:01.250Z",
        "durability": "always",
        "eviction_policy": "noeviction",
        "version": VERSION,
        "self": f"/v1/turns/{TURN_ID}",
        "events": f"/v1/turns/{TURN_ID}/events",
        "cancel": f"/v1/turns/{TURN_ID}/cancel",
        "session": "/v1/sessions/foobar?user_id=alice",
        "messages": "/v1/sessions/foobar/messages?user_id=alice",
    }
)
SHOWN = frozenset({"output", "usage"})  # nullable objects that the example of a turn has
OF_MODEL: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "TurnSummary": {"status": "in_progress"},
        "Run": {"ended_by": "completed", "code": None},
        "Timeline": {"code": None, "message": None},
        "WaitReason": {"reason": "running", "message": "The first turn of this session runs."},
        "Ready": {"status": "ok", "replicas": 0},
        "StoredFile": {"id": FILE_ID, "name": "picture.png", "media_type": "image/png"},
        "Problem": {
            "type": "urn:inturn:problem:invalid_request",
            "title": "Bad Request",
            "status": 400,
            "detail": "input: must not be empty",
            "instance": "/v1/turns",
            "code": "invalid_request",
            "request_id": "01a2073c9fe1",
            "errors": [{"field": "input", "rule": "must not be empty"}],
        },
    }
)
NOT_ENDED: Mapping[str, Any] = MappingProxyType(
    {"output": None, "usage": None, "finished_at": None, "expires_at": None}
)
# Fields of a turn that differ from those of a completed one, by the status of the response or the id of the operation.
ACCEPTED: Mapping[str, Any] = MappingProxyType(
    {
        **NOT_ENDED,
        "status": "queued",
        "attempt": 0,
        "model": None,
        "started_at": None,
        "queue": {"position": 1, "waiting_for": "worker", "turn_id": None, "retry_at": None},
    }
)
CANCELLED: Mapping[str, Any] = MappingProxyType({"status": "cancelled", "output": None, "usage": None})


def response_example(operation_id: str, status: int, schema: Json, definitions: Json) -> Any:
    """Return an example of the JSON that this operation answers with this status."""
    made = example(schema, definitions)
    if operation_id == "submit_batch":
        made["data"][0]["turn"].update(ACCEPTED)
    elif schema.get("$ref", "").endswith("/Turn"):
        made.update(ACCEPTED if status == 202 else CANCELLED if operation_id == "cancel" else {})
    return made


def example(schema: Json, definitions: Json, name: str = "") -> Any:
    """Return a value that the schema allows. `name` is that of the field, which has a typical value in `VALUES`."""
    if "$ref" in schema:
        model = schema["$ref"].rpartition("/")[2]
        made = example(definitions[model], definitions, name)
        return {**made, **OF_MODEL[model]} if model in OF_MODEL else made
    if choices := schema.get("anyOf"):
        return _example_of_choice(choices, definitions, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return VALUES[name] if VALUES.get(name) in schema["enum"] else schema["enum"][0]
    return _example_of_type(schema.get("type", ""), schema, definitions, name)


def _example_of_choice(choices: list[Json], definitions: Json, name: str) -> Any:
    is_nullable = {"type": "null"} in choices
    if is_nullable and name not in SHOWN and VALUES.get(name) is None:
        return None
    return example(choices[0], definitions, name)


def _example_of_type(kind: str, schema: Json, definitions: Json, name: str) -> Any:
    value = VALUES.get(name)
    if value is not None and isinstance(value, TYPES.get(kind, ())):
        return value
    if kind == "array":
        return [example(schema["items"], definitions, name)] if schema.get("items") else []
    if kind == "object":
        fields = schema.get("properties", {})
        return {field: example(rule, definitions, field) for field, rule in fields.items()}
    return "2026-11-27T09:00:00.000Z" if schema.get("format") == "date-time" else PLACEHOLDERS.get(kind)
