"""Accept a response as a turn: in its conversation, after another response, or in a new conversation."""

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import g

from turns.config.logs import Log, get_logger
from turns.domain.errors import IdempotencyKeyReused, InvalidRequest, Refused, SessionChanged
from turns.domain.turn import Turn, TurnRequest
from turns.edits.forks import Source
from web.http.request_span import get_traceparent
from web.http.validation import parse_id, to_request
from web.schemas.requests import NoQuery, submit_body
from web.security.token_bounds import bind, bind_request, check_new_session
from web.surfaces.openai.content import Content
from web.surfaces.openai.ids import new_conversation_id, to_turn_id
from web.surfaces.openai.responses.requests import (
    ResponseBody,
    check_version,
    read_question,
    rename_fields,
    to_submit,
)
from web.surfaces.openai.services import Services

HELD_SECONDS = 25.0  # a response without `background`; proxies and clients wait longer
REPEATED_MS = 60_000  # within this time the client repeats a request by itself
NO_VERSION = -1  # no session has it
REPEATED_TURNS = 8  # the newest ones of the conversation


class ConversationChanged(Refused):
    """That response is neither the last one of its conversation nor one with an answer, so none can follow it."""

    status, code = 409, "conversation_changed"


class Submission:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._model = submit_body(services.max_input_bytes)

    def submit(self, body: ResponseBody, *, user_id: str | None, key: str | None, is_repeated: bool) -> Turn:
        """Accept the turn. `is_repeated`: the client has sent the same request before.

        Raises `InvalidRequest`, `ConversationChanged`, or like `Forks.fork` and `TurnStore.accept`.
        """
        question, is_named = read_question(body), bool(body.conversation_id or body.previous_response_id)
        if body.conversation_id and body.previous_response_id:
            raise InvalidRequest("previous_response_id", "cannot be combined with conversation")
        if question.earlier and is_named:
            raise InvalidRequest("input", "must have one message: the conversation has the earlier ones")
        previous = self._find_previous(body)
        if previous:
            session_id, user_id = previous.session_id, previous.user_id
        else:
            session_id = self._name_session(body, key)
        request = self._to_request(body, question.content, session_id, user_id, key)
        if question.earlier:
            self._services.sessions.import_messages(
                question.earlier, session_id=request.session_id, user_id=request.user_id, tenant=request.tenant
            )
        if is_repeated and is_named and not key and (same := self._find_same(request)):
            return same
        if previous and self._is_followed(previous):
            return self._branch(previous, request)
        return self._accept(request)

    def hold(self, turn: Turn) -> Turn:
        """Return the turn when it has ended, or as it is after `HELD_SECONDS`, or at once if too many wait."""
        if turn.status.is_terminal:
            return turn
        return self._services.long_polls.wait_for_turn(turn.id, tenant=turn.tenant, wait_seconds=HELD_SECONDS)

    def _accept(self, request: TurnRequest) -> Turn:
        accepted = self._services.store.accept(request)
        get_logger().info(Log.TURN_ACCEPTED, turn_id=accepted.turn.id, replayed=accepted.replayed)
        if not accepted.replayed:
            self._services.long_polls.remember_accepted(accepted.turn)
        return accepted.turn

    def _name_session(self, body: ResponseBody, key: str | None) -> str:
        if body.conversation_id:
            return parse_id("conversation", body.conversation_id)
        check_new_session()
        return new_conversation_id(key and f"{g.caller.tenant}\n{key}")

    def _find_previous(self, body: ResponseBody) -> Turn | None:
        """Return the turn after which the new one comes, if the request names it."""
        if not body.previous_response_id:
            return None
        turn_id = to_turn_id(body.previous_response_id)
        bind({"turn_id": turn_id}, NoQuery(), takes_tokens=True)
        return self._services.store.get_turn(turn_id, tenant=g.caller.tenant)

    def _is_followed(self, previous: Turn) -> bool:
        page = self._services.store.list_turns(tenant=previous.tenant, session=previous.session, limit=1)
        return any(turn.sequence > previous.sequence for turn in page.turns)

    def _branch(self, previous: Turn, request: TurnRequest) -> Turn:
        """Accept the turn in a fork of the conversation that ends with the previous turn."""
        if request.idempotency_key:
            with suppress(
                SessionChanged, IdempotencyKeyReused
            ):  # unless this request was accepted when no other followed
                return self._services.store.accept(replace(request, if_version=NO_VERSION)).turn
        if previous.message_numbers is None:
            raise ConversationChanged
        check_new_session()
        source = Source(
            session_id=previous.session_id, user_id=previous.user_id, tenant=previous.tenant, turn_id=previous.id
        )
        forked = self._services.forks.fork(source, idempotency_key=request.idempotency_key)
        return self._accept(replace(request, session_id=forked.session.session_id))

    def _to_request(
        self, body: ResponseBody, content: Content, session_id: str, user_id: str | None, key: str | None
    ) -> TurnRequest:
        assistant = self._services.registry.find(body.assistant)
        check_version(body.prompt, assistant)
        try:
            request = to_request(
                to_submit(body, content, session_id, user_id),
                self._model,
                find=lambda _: assistant,
                idempotency_key=key,
                traceparent=get_traceparent(),
                tenant=g.caller.tenant,
                request_id=g.request_id,
                key_id=g.caller.key_id,
                resolve_parts=self._services.resolve_parts,
            )
        except InvalidRequest as error:
            raise rename_fields(error) from None
        return bind_request(request)

    def _find_same(self, request: TurnRequest) -> Turn | None:
        """Return the turn that an earlier try of the same request has created in this conversation."""
        page = self._services.store.list_turns(tenant=request.tenant, session=request.session, limit=REPEATED_TURNS)
        now_ms = time.time() * 1000
        for turn in page.turns:
            if now_ms - turn.accepted_at < REPEATED_MS and _values(turn) == _values(request):
                return turn
        return None


def _values(turn: Turn | TurnRequest) -> tuple[Any, ...]:
    assistant = turn.assistant if isinstance(turn.assistant, str) else turn.assistant.name
    return turn.input, turn.parts, assistant, dict(turn.metadata), turn.response_format
