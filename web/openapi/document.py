"""The OpenAPI 3.1 document, built from the operations of the routes and from the pydantic models.

A test sends generated requests to the service and checks the responses against this document.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from turns.access.api_key import KEY_ID
from turns.config.version import VERSION
from turns.domain.events import EVENT_ID
from turns.domain.ids import NAME
from turns.pauses.part import PauseKind
from turns.session_stream.cursor import CURSOR
from web.http.codes import HTTP_CODES, MEDIA_TYPE
from web.http.responses import JSON
from web.openapi.examples import response_example
from web.openapi.operation import TAGS, Operation, ResponseSpec
from web.schemas import responses
from web.schemas.field_types import ID_SCHEMA
from web.schemas.operator.jobs import JOB_ID
from web.schemas.queries import NoQuery

Model = type[BaseModel]
Json = dict[str, Any]
Refs = Mapping[Any, Json]  # a reference to the schema of each model

REF = "#/components/schemas/{model}"
TEXT: Json = {"type": "string"}
PATH_PARAMETERS: dict[str, Json] = {
    "tenant": {"pattern": f"^{NAME.pattern}$"},
    "switch": {"enum": [kind for kind in PauseKind if not kind.is_named]},
    "kind": {"enum": [kind for kind in PauseKind if kind.is_named]},
    "name": TEXT,
    "turn_id": TEXT,
    "worker": TEXT,
    "key_id": {"type": "string", "pattern": f"^{KEY_ID.pattern}$"},
    "job_id": {"type": "string", "pattern": f"^{JOB_ID}$"},
    "session_id": ID_SCHEMA,
    "user_id": ID_SCHEMA,
    "file_id": TEXT,
}
REQUEST_HEADERS: dict[str, tuple[str, Json]] = {
    "Idempotency-Key": (
        "Repeating a request with the same key and body has no further effect",
        {"pattern": "^[ -~]{1,255}$"},
    ),
    "Prefer": ("`wait=N`: hold the response until the turn has ended, for at most N seconds (up to 30)", {}),
    "traceparent": ("W3C trace context; the worker's log lines contain its trace id", {}),
    "If-Match": ("The `ETag` of the session; 412 if it has changed since then", {"pattern": '^"[0-9]{1,15}"$'}),
    "If-None-Match": ("The `ETag` of an earlier response", {}),
    "Last-Event-ID": (
        "The id of the last event received",
        {"pattern": f"^({EVENT_ID.pattern}|{CURSOR.pattern}|[0-9]{{1,15}})$"},
    ),
}
RESPONSE_HEADERS = {
    "ETag": "Entity tag of this response; of a session, its version",
    "Idempotency-Replayed": "`true`: the request had already been accepted",
    "Location": "Path of the turn, or of a new session",
    "Preference-Applied": "The wait that was applied",
    "Retry-After": "Seconds after which to ask again",
    "X-Request-Id": "Id of the request in the log",
}
DESCRIPTION = """\
A background queue for chat turns. Submit a turn and get its id at once; poll it, wait for it, or stream its answer
while it is being written. The turns of a session run one at a time, in the order in which they were accepted; each
takes effect exactly once.
"""


def describe(operations: Sequence[Operation]) -> Json:
    """Return the OpenAPI document."""
    names, definitions = models_json_schema(_models(operations), ref_template=REF)
    refs = {model: ref for (model, _), ref in names.items()}
    of_turn = [operation.id for operation in operations if "{turn_id}" in operation.path]
    links = {name: {"operationId": name, "parameters": {"turn_id": "$response.body#/id"}} for name in of_turn}
    paths: defaultdict[str, Json] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method] = _operation(operation, refs, links)
        _add_examples(paths[operation.path][operation.method], definitions["$defs"])
    return {
        "openapi": "3.1.0",
        "info": {"title": "InTurn", "version": VERSION, "description": DESCRIPTION},
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": dict(paths),
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `inturn_…`"}},
        },
    }


def _add_examples(operation: Json, definitions: Json) -> None:
    for status, response in operation["responses"].items():
        if content := response.get("content", {}).get(JSON):
            content["example"] = response_example(operation["operationId"], int(status), content["schema"], definitions)


def _models(operations: Sequence[Operation]) -> list[tuple[Model, JsonSchemaMode]]:
    specs = [spec for operation in operations for spec in operation.responses.values()]
    models: list[tuple[Model, JsonSchemaMode]] = [(each.body, "validation") for each in operations if each.body]
    models += [(spec.model, "serialization") for spec in specs if spec.model]
    models += [(model, "serialization") for spec in specs for model in spec.events.values()]
    return list(dict.fromkeys([*models, (responses.Problem, "serialization")]))


def _operation(operation: Operation, refs: Refs, links: Json) -> Json:
    successes = {str(status): _response(status, spec, refs, links) for status, spec in operation.responses.items()}
    described: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_query(operation), *map(_header, operation.headers)],
        "responses": dict(sorted({**_problems(operation, refs), **successes}.items())),
    }
    if operation.is_guarded:
        described["security"] = [{"key": []}, {}]  # `{}`: no key is required before the first one is created
    if operation.body_kinds:
        binary = {"schema": {"type": "string", "format": "binary"}}
        described["requestBody"] = {"required": True, "content": dict.fromkeys(operation.body_kinds, binary)}
    if operation.body:
        described["requestBody"] = {
            "required": operation.requires_body,
            "content": {JSON: {"schema": refs[operation.body]}},
        }
    return described


def _path_parameters(operation: Operation) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": dict(schema)}
        for name, schema in PATH_PARAMETERS.items()
        if f"{{{name}}}" in operation.path
    ]


def _query(operation: Operation) -> list[Json]:
    model = (operation.query or NoQuery).model_json_schema(ref_template=REF)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in model.get("required", ()),
            "schema": _inlined(schema, model.get("$defs", {})),
        }
        for name, schema in model.get("properties", {}).items()
    ]


def _inlined(schema: Json, definitions: Json) -> Json:
    """Return the schema of a parameter without references, and without null, which no parameter can be."""
    [only] = [choice for choice in schema.get("anyOf", [schema]) if choice != {"type": "null"}]
    if "$ref" in only:
        only = definitions[only["$ref"].rpartition("/")[2]]
    kept = {key: value for key, value in schema.items() if key not in {"anyOf", "title"} and value is not None}
    return {**kept, **only}


def _header(name: str) -> Json:
    description, schema = REQUEST_HEADERS[name]
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {**TEXT, **schema}}


def _response(status: int, spec: ResponseSpec, refs: Refs, links: Json) -> Json:
    headers = ("X-Request-Id", *spec.headers)
    described: Json = {
        "description": spec.description,
        "headers": {name: {"description": RESPONSE_HEADERS[name], "schema": dict(TEXT)} for name in headers},
    }
    if spec.model:
        others = {kind: {"schema": _text_schema(spec, refs)} for kind in spec.other_kinds}
        described["content"] = {spec.kind: {"schema": refs[spec.model]}, **others}
        if status >= 400:
            described["content"][MEDIA_TYPE] = {"schema": refs[responses.Problem]}
    elif spec.kind != JSON:
        described["content"] = {spec.kind: {"schema": _text_schema(spec, refs)}}
    if spec.model is responses.Turn:
        described["links"] = links
    return described


def _text_schema(spec: ResponseSpec, refs: Refs) -> Json:
    """Return the schema of a text, with those of the data of its server-sent events."""
    data = {name: refs[model] for name, model in spec.events.items()}
    return {**TEXT, "x-event-data": data} if data else dict(TEXT)


def _problems(operation: Operation, refs: Refs) -> Json:
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for error in operation.errors:
        codes[error.status].append(error.code)
    for status in operation.http_errors:
        codes[status].append(HTTP_CODES[status])
    return {str(status): _problem(names, refs) for status, names in sorted(codes.items())}


def _problem(codes: list[str], refs: Refs) -> Json:
    of_code = {"properties": {"code": {"enum": codes}}}
    return {
        "description": " or ".join(f"`{code}`" for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"allOf": [refs[responses.Problem], of_code]}}},
    }
