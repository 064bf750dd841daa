"""The fields of a record that the request for a turn determines, and what identifies an equal request."""

import hashlib
import json
from dataclasses import asdict

from turns.domain.assistant import Lane
from turns.domain.content.parts import Part, file_ids, to_json
from turns.domain.ids import forked_session_id
from turns.domain.messages import to_lines
from turns.domain.turn_request import TurnRequest

EDITING = ("forked_from", "regenerates")
OPTIONAL = (
    "retry_of",
    "traceparent",
    "request_id",
    "key_id",
    "response_format",
    "instructions",
)  # fields of the record that not every turn has


def digest_key(idempotency_key: str, tenant: str) -> str:
    """Return the digest under which an idempotency key of the tenant is stored."""
    return _sha256(f"{tenant}\n{idempotency_key}")


def to_fields(request: TurnRequest) -> dict[str, str]:
    """Return the fields of the record that the request determines."""
    assistant, lane = request.assistant, request.lane or request.assistant.lane
    return {
        **({} if request.past is None else {"standalone": "1", "past": to_lines(request.past)}),
        **{name: value for name in EDITING if (value := getattr(request, name))},  # which `accept` reads first
        "assistant": assistant.name,
        "definition": assistant.digest,
        **assistant.record_fields,
        "input": request.input,
        **(_part_fields(request) if request.parts or request.past else {}),
        "variables": json.dumps(assistant.with_defaults(request.variables)),
        **({"metadata": json.dumps(dict(request.metadata))} if request.metadata else {}),
        **{name: value for name in OPTIONAL if (value := getattr(request, name))},
        **({"lane": lane} if lane is not Lane.INTERACTIVE else {}),
    }


def files_of(request: TurnRequest) -> list[str]:
    """Return the uploaded files to which a request refers."""
    return file_ids((*request.parts, *(part for message in request.past or () for part in message.parts)))


def _part_fields(request: TurnRequest) -> dict[str, str]:
    files = files_of(request)
    return {
        **({"parts": to_json(request.parts)} if request.parts else {}),
        **({"files": " ".join(files)} if files else {}),
    }


def key_digest(request: TurnRequest) -> str:
    """Return a digest of the idempotency key and its tenant, or '' without a key."""
    return digest_key(request.idempotency_key, request.tenant) if request.idempotency_key else ""


def fingerprint(request: TurnRequest) -> str:
    """Return a digest that is equal for equal requests, or '' without an idempotency key."""
    if not request.idempotency_key:
        return ""
    if request.body_digest:
        return _sha256(request.body_digest)
    fields = asdict(request)
    fields["assistant"] = request.assistant.name  # not its version, which may change before the request is repeated
    fields["parts"] = [_part_identity(part) for part in request.parts]
    if not request.parts:
        del fields["parts"]  # as before there were any, so that a request can be repeated after an upgrade
    for name in ("traceparent", "request_id", "key_id", "if_version"):  # a repeated request may have others
        del fields[name]
    if request.forked_from:  # a repeated request may find that it need not fork, or that it must
        fields["session_id"] = forked_session_id(request.forked_from)
    del fields["forked_from"]
    for name in ("regenerates", "response_format", "past", "instructions", "body_digest"):
        if fields[name] is None:  # a key that an earlier release has stored must fit
            del fields[name]
    return _sha256(json.dumps(fields, sort_keys=True))


def _part_identity(part: Part) -> dict[str, str]:
    """Return the values of a part; of a file its content, so that a repeated request may upload it again."""
    fields = {name: value for name, value in asdict(part).items() if value}
    return {**fields, "file_id": part.sha256} if part.sha256 else fields


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
