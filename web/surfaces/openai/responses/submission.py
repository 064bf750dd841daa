"""Accept a response as a turn: in its conversation, after another response, in a new conversation, or on its own."""

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import g

from turns.domain.errors import InvalidRequest, Refused, SessionBusy, SessionChanged
from turns.domain.turn import Turn
from turns.domain.turn_request import OnBusy, TurnRequest
from turns.edits.forks import Source
from web.http.turn_requests import to_turn_request
from web.http.validation import parse_id
from web.schemas.queries import NoQuery
from web.schemas.requests import submit_body
from web.security.token_bounds import bind, check_new_session
from web.services import Services
from web.streaming.accepted import register_accepted
from web.surfaces.ended_turn import wait_for_end
from web.surfaces.openai.attachments import Attachment, store_attachment
from web.surfaces.openai.content import Content
from web.surfaces.openai.ids import new_conversation_id, to_turn_id
from web.surfaces.openai.responses.requests import (
    Question,
    ResponseBody,
    check_version,
    read_question,
    rename_fields,
    to_submit,
)

HELD_SECONDS = 25.0  # a response without `background`; proxies and clients wait longer
MAX_EARLIER_BYTES = 1024 * 1024  # of the text before the question; more than any model reads
NO_VERSION = -1  # no session has it


class ConversationChanged(Refused):
    """No response can follow that one: it has no answer in a conversation, or others have followed it."""

    status, code = 409, "conversation_changed"


class Submission:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._model = submit_body(services.settings.max_input_bytes)

    def submit(self, body: ResponseBody, *, user_id: str | None, key: str | None, digest: str) -> Turn:
        """Accept the turn. `digest` stands for the bytes of the request.

        Raises `InvalidRequest`, `ConversationChanged`, or like `Forks.fork` and `TurnStore.accept`.
        """
        question, previous = read_question(body), self._find_previous(body)
        self._check(body, question)
        if previous:
            session_id, user_id = previous.session_id, previous.user_id
        else:
            session_id = self._name_session(body, key)
        request = self._to_request(body, question, session_id, user_id, key)
        request = replace(request, instructions=question.instructions or None, body_digest=digest)
        if body.store is False:
            return self._accept(replace(request, past=question.earlier))
        if question.earlier:
            return self._find_repeated(request) or self._begin(request, question)
        return self._follow(previous, request) if previous else self._accept(request)

    def hold(self, turn: Turn) -> Turn:
        """Return the turn when it has ended, or as it is after `HELD_SECONDS`, or at once if too many wait."""
        return wait_for_end(self._services.long_polls, turn, deadline=time.monotonic() + HELD_SECONDS)

    def _check(self, body: ResponseBody, question: Question) -> None:
        """Raise `InvalidRequest` for parameters that contradict each other, and for a text that is too long."""
        named = "conversation" if body.conversation_id else "previous_response_id" if body.previous_response_id else ""
        if body.conversation_id and body.previous_response_id:
            raise InvalidRequest("previous_response_id", "cannot be combined with conversation")
        if named and question.earlier:
            raise InvalidRequest("input", f"must have one message: {named} has the earlier ones")
        if named and body.store is False:
            raise InvalidRequest("store", f"must be true with {named}")
        if len(question.instructions.encode(errors="replace")) > self._services.settings.max_input_bytes:
            raise InvalidRequest("instructions", f"must have at most {self._services.settings.max_input_bytes} bytes")
        if sum(len(message.content.encode(errors="replace")) for message in question.earlier) > MAX_EARLIER_BYTES:
            raise InvalidRequest("input", f"must have at most {MAX_EARLIER_BYTES} bytes before the last message")

    def _accept(self, request: TurnRequest) -> Turn:
        return register_accepted(self._services.store.accept(request), self._services.long_polls)

    def _follow(self, previous: Turn, request: TurnRequest) -> Turn:
        """Accept the turn after the previous one, or in a branch if another one is there, also one sent meanwhile."""
        if not self._is_followed(previous):
            if not previous.status.is_terminal or request.on_busy is not OnBusy.ENQUEUE:
                return self._accept(request)
            with suppress(SessionBusy):
                return self._accept(replace(request, on_busy=OnBusy.REJECT))
        return self._find_repeated(request) or self._branch(previous, request)

    def _find_repeated(self, request: TurnRequest) -> Turn | None:
        """Return the turn that the same request has created before."""
        if request.idempotency_key:
            with suppress(SessionChanged):
                return self._services.store.accept(replace(request, if_version=NO_VERSION)).turn
        return None

    def _begin(self, request: TurnRequest, question: Question) -> Turn:
        """Accept the turn in a new conversation that begins with the earlier messages."""
        self._services.sessions.import_messages(
            question.earlier, session_id=request.session_id, user_id=request.user_id, tenant=request.tenant
        )
        return self._accept(request)

    def _branch(self, previous: Turn, request: TurnRequest) -> Turn:
        """Accept the turn in a fork of the conversation that ends with the previous turn."""
        if previous.message_numbers is None:
            raise ConversationChanged
        check_new_session()
        source = Source(
            session_id=previous.session_id, user_id=previous.user_id, tenant=previous.tenant, turn_id=previous.id
        )
        forked = self._services.forks.fork(source, idempotency_key=request.idempotency_key)
        return self._accept(replace(request, session_id=forked.session.session_id))

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
        turn = self._services.store.get_turn(turn_id, tenant=g.caller.tenant)
        if turn.past is not None:
            raise ConversationChanged
        return turn

    def _is_followed(self, previous: Turn) -> bool:
        page = self._services.store.list_turns(tenant=previous.tenant, session=previous.session, limit=1)
        return any(turn.sequence > previous.sequence for turn in page.turns)

    def _to_request(
        self, body: ResponseBody, question: Question, session_id: str, user_id: str | None, key: str | None
    ) -> TurnRequest:
        assistant = self._services.registry.find(body.assistant)
        check_version(body.prompt, assistant)
        try:
            return to_turn_request(
                to_submit(body, self._upload(question.content, user_id), session_id, user_id),
                self._model,
                find=lambda _: assistant,
                idempotency_key=key,
                resolve_parts=self._services.resolve_parts,
            )
        except InvalidRequest as error:
            raise rename_fields(error) from None

    def _upload(self, content: Content, user_id: str | None) -> str | list[dict[str, Any]]:
        """Store the attachments of a question, and return its text or parts as `POST /v1/turns` takes them."""
        if isinstance(content, str):
            return content
        return [
            store_attachment(self._services, part, user_id) if isinstance(part, Attachment) else part
            for part in content
        ]
