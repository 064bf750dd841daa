"""The OpenAPI 3.1 document, made of the contract's table and the pydantic models. A test holds the service to it."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from turns.config.version import VERSION
from turns.domain.events import EVENT_ID
from turns.domain.ids import NAME
from turns.operations.actions import Switch
from web.http.codes import HTTP_CODES, MEDIA_TYPE
from web.openapi.operation import Answer, Operation
from web.openapi.operations import GUARDED, OPERATIONS
from web.schemas import responses

Model = type[BaseModel]
Refs = Mapping[Any, Any]  # what stands for a model

REF = "#/components/schemas/{model}"
EVENTS: MappingProxyType[str, Model] = MappingProxyType(
    {
        "status": responses.StatusEvent,
        "delta": responses.DeltaEvent,
        "reset": responses.ResetEvent,
        "done": responses.DoneEvent,
    }
)
TEXT = MappingProxyType({"type": "string"})
HEADERS = MappingProxyType(
    {
        "Idempotency-Key": (
            "Repeating a request with the same key and body has no further effect",
            {"pattern": "^[ -~]{1,255}$"},
        ),
        "Prefer": ("`wait=N`: hold the answer until the turn has ended, or so many seconds, at most 30", {}),
        "traceparent": ("W3C trace context; the worker's log lines carry its trace id", {}),
        "If-None-Match": ("The `ETag` of an earlier answer", {}),
        "Last-Event-ID": ("The last event seen", {"pattern": f"^{EVENT_ID.pattern}$"}),
    }
)
ANSWER_HEADERS = MappingProxyType(
    {
        "ETag": "Names this very answer",
        "Idempotency-Replayed": "`true`: the request had been accepted before",
        "Location": "Where the turn is",
        "Preference-Applied": "The wait that was applied",
        "Retry-After": "Seconds after which asking again makes sense",
        "X-Request-Id": "What the log knows this request by",
    }
)
DESCRIPTION = """\
A background queue for chat turns. Submit a turn, get its id at once; poll it, wait for it, or watch its answer being
written. Turns of a session run one at a time, in the order accepted; each takes effect exactly once.
"""


@dataclass(frozen=True)
class Document:
    as_dict: dict[str, Any]
    as_json: str


@cache
def document() -> Document:
    """The same for every process of a version."""
    models = _models()
    names, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    refs = {model: ref for (model, _), ref in names.items()}
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method] = _operation(operation, refs)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "InTurn", "version": VERSION, "description": DESCRIPTION},
        "paths": dict(paths),
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `inturn_…`"}},
        },
    }
    return Document(whole, json.dumps(whole))


def _models() -> list[Model]:
    bodies = [operation.body for operation in OPERATIONS if operation.body]
    answers = [answer.model for operation in OPERATIONS for answer in operation.answers.values() if answer.model]
    return list(dict.fromkeys([*bodies, *answers, *EVENTS.values(), responses.Problem]))


def _operation(operation: Operation, refs: Refs) -> dict[str, Any]:
    answers, problems = _answers(operation, refs), _problems(operation, refs)
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query(operation), *map(_header, operation.headers)],
        "responses": {**answers, **{status: problem for status, problem in problems.items() if status not in answers}},
    }
    if operation.is_guarded:
        described["security"] = [{"key": []}, {}]  # the second: where no key was ever made, none is asked for
    if operation.body:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[operation.body]}}}
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    known = {
        "switch": {"enum": list(Switch)},
        "turn_id": TEXT,
        "worker": TEXT,
        "session_id": {"type": "string", "pattern": f"^{NAME.pattern}$"},
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": dict(rule)}
        for name, rule in known.items()
        if f"{{{name}}}" in operation.path
    ]


def _query(operation: Operation) -> list[dict[str, Any]]:
    model = operation.query.model_json_schema(ref_template=REF)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in model.get("required", ()),
            "schema": _inlined(rule, model.get("$defs", {})),
        }
        for name, rule in model.get("properties", {}).items()
    ]


def _inlined(rule: Any, definitions: dict[str, Any]) -> Any:
    """A parameter that may be left out has no null, and stands on its own."""
    choices = [choice for choice in rule.get("anyOf", [rule]) if choice != {"type": "null"}]
    [only] = choices
    if "$ref" in only:
        only = definitions[only["$ref"].rpartition("/")[2]]
    return {**{key: value for key, value in rule.items() if key not in {"anyOf", "default", "title"}}, **only}


def _header(name: str) -> dict[str, Any]:
    description, rule = HEADERS[name]
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {**TEXT, **rule}}


def _answers(operation: Operation, refs: Refs) -> dict[str, Any]:
    return {str(status): _answer(operation, status, answer, refs) for status, answer in operation.answers.items()}


def _answer(operation: Operation, status: int, answer: Answer, refs: Refs) -> dict[str, Any]:
    headers = ("X-Request-Id", *answer.headers)
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": {name: {"description": ANSWER_HEADERS[name], "schema": dict(TEXT)} for name in headers},
    }
    if answer.model:
        described["content"] = {answer.kind: {"schema": refs[answer.model]}}
        if status >= 400:
            described["content"][MEDIA_TYPE] = {"schema": refs[responses.Problem]}
    elif answer.kind == "text/plain":
        described["content"] = {answer.kind: {"schema": dict(TEXT)}}
    elif answer.kind == "text/event-stream":
        data = {name: refs[model] for name, model in EVENTS.items()}
        described["content"] = {answer.kind: {"schema": {**TEXT, "x-event-data": data}}}
    if answer.model is responses.Turn:
        described["links"] = _links()
    return described


def _links() -> dict[str, Any]:
    of_turn = [operation.id for operation in OPERATIONS if "{turn_id}" in operation.path]
    return {name: {"operationId": name, "parameters": {"turn_id": "$response.body#/id"}} for name in of_turn}


def _problems(operation: Operation, refs: Refs) -> dict[str, Any]:
    codes: defaultdict[int, list[str]] = defaultdict(list)
    guarded = GUARDED if operation.is_guarded else ()
    for error in (*guarded, *operation.refusals):
        codes[error.status].append(error.code)
    for status in operation.problems:
        codes[status].append(HTTP_CODES[status])
    return {str(status): _problem(names, refs) for status, names in sorted(codes.items())}


def _problem(codes: list[str], refs: Refs) -> dict[str, Any]:
    of_code = {"properties": {"code": {"enum": codes}}}
    return {
        "description": " or ".join(f"`{code}`" for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"allOf": [refs[responses.Problem], of_code]}}},
    }
