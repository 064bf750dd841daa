"""The routes with which operators pause and resume parts of the service."""

from flask import Blueprint, Response, g

from turns.pauses.part import PauseKind, ServicePart
from turns.pauses.pauses import Pauses
from web.http.responses import read_json_body, reply
from web.http.validation import parse_body
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator.pauses import Pause, PauseBody, PauseList
from web.security.audit import audit

MAX_BODY_BYTES = 4096
PAUSED = {200: ResponseSpec("What is paused after the change", PauseList)}


def build_operator_pauses(pauses: Pauses) -> Blueprint:
    api = Blueprint("operator_pauses", __name__)

    @Operation(
        id="list_pauses",
        method="get",
        path="/operator/pauses",
        summary="List what operators have paused",
        responses={200: ResponseSpec("Each pause, with the number of turns that wait for it", PauseList)},
    ).on(api)
    def list_pauses() -> Response:
        return _reply(pauses)

    @Operation(
        id="pause_service",
        method="put",
        path="/operator/pauses/{switch}",
        summary="Pause the intake of turns, or all workers, or change that pause",
        responses=PAUSED,
        body=PauseBody,
    ).on(api)
    def pause_service(switch: str) -> Response:
        return _pause(pauses, ServicePart.parse(switch))

    @Operation(
        id="pause",
        method="put",
        path="/operator/pauses/{kind}/{name}",
        summary="Pause a tenant, assistant, lane, provider or model, or change that pause; running turns continue",
        responses=PAUSED,
        body=PauseBody,
    ).on(api)
    def pause(kind: str, name: str) -> Response:
        return _pause(pauses, ServicePart.parse(kind, name))

    @Operation(
        id="resume_service",
        method="delete",
        path="/operator/pauses/{switch}",
        summary="End a pause of the intake or of the workers",
        responses=PAUSED,
    ).on(api)
    def resume_service(switch: str) -> Response:
        return _resume(pauses, ServicePart.parse(switch))

    @Operation(
        id="resume",
        method="delete",
        path="/operator/pauses/{kind}/{name}",
        summary="End a pause; its turns start one after another, oldest first. Without a pause nothing happens",
        responses=PAUSED,
    ).on(api)
    def resume(kind: str, name: str) -> Response:
        return _resume(pauses, ServicePart.parse(kind, name))

    return api


def _pause(pauses: Pauses, part: ServicePart) -> Response:
    body = parse_body(PauseBody, read_json_body(max_bytes=MAX_BODY_BYTES))
    pauses.pause(part, by=g.caller.key_id or "", reason=body.reason, seconds=body.for_seconds)
    audit("pause", str(part), tenant=_tenant_of(part), reason=body.reason)
    return _reply(pauses)


def _resume(pauses: Pauses, part: ServicePart) -> Response:
    pauses.resume(part)
    audit("resume", str(part), tenant=_tenant_of(part))
    return _reply(pauses)


def _tenant_of(part: ServicePart) -> str | None:
    return part.name if part.kind is PauseKind.TENANT else None


def _reply(pauses: Pauses) -> Response:
    return reply(PauseList(data=tuple(map(Pause.model_validate, pauses.read()))))
