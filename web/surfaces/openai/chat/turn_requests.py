"""The turns that completions stand for."""

from collections.abc import Sequence
from dataclasses import replace

from turns.domain.content.parts import Part, text_of
from turns.domain.errors import FieldError, InvalidRequest
from turns.domain.ids import new_token
from turns.domain.messages import Message
from turns.domain.turn_request import TurnRequest
from web.http.turn_requests import to_turn_request
from web.schemas.parts import PartBody
from web.schemas.requests import submit_body
from web.services import Services
from web.surfaces.openai.attachments import Attachment, store_attachment
from web.surfaces.openai.chat.binding import SESSION, Binding
from web.surfaces.openai.chat.messages import Content, Conversation
from web.surfaces.openai.chat.requests import CompletionBody

NAMES = {"assistant": "model", "user_id": "user", "session_id": SESSION}  # of fields in this protocol


class TurnRequests:
    """Builds requests for turns."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._model = submit_body(services.settings.max_input_bytes)

    def build(
        self, body: CompletionBody, conversation: Conversation, binding: Binding, *, key: str | None, digest: str
    ) -> TurnRequest:
        """Return the request of the question. Uploads its files. Raises `InvalidRequest`."""
        question, session_id = conversation.question, binding.session_id or f"chatcmpl-{new_token()}"
        text = self._upload(question, body.user_id(binding)) or question.text
        try:
            turn = to_turn_request(
                body.to_submit(session_id, text, binding),
                self._model,
                find=self._services.registry.find,
                idempotency_key=key,
                resolve_parts=self._services.resolve_parts,
            )
        except InvalidRequest as error:
            raise _in_own_words(error, question) from None
        return replace(turn, instructions=conversation.instructions or None, body_digest=digest)

    def stand_alone(self, turn: TurnRequest, conversation: Conversation) -> TurnRequest:
        """Return the same request with its own past. Uploads the files of that. Raises `InvalidRequest`."""
        past = tuple(self._message(n, one, turn) for n, one in enumerate(conversation.past, start=1))
        return replace(turn, past=past)

    def _message(self, number: int, content: Content, turn: TurnRequest) -> Message:
        parts = self._parts(content, turn)
        return Message(
            number=number,
            role=content.role,
            content=text_of(parts) if parts else content.text,
            turn_id=None,
            parts=parts,
        )

    def _parts(self, content: Content, turn: TurnRequest) -> tuple[Part, ...]:
        try:
            bodies = [PartBody.model_validate(part) for part in self._upload(content, turn.user_id)]
            parts = self._services.resolve_parts(bodies, turn.tenant, turn.user_id)
            turn.assistant.check_parts(parts)
        except InvalidRequest as error:
            raise _in_own_words(error, content) from None
        return parts

    def _upload(self, content: Content, user_id: str | None) -> Sequence[dict[str, str]]:
        """Store the attachments of a message, and return its parts as `POST /v1/turns` takes them."""
        return [
            store_attachment(self._services, part, user_id) if isinstance(part, Attachment) else part
            for part in content.parts
        ]


def _in_own_words(error: InvalidRequest, content: Content) -> InvalidRequest:
    """Return the error with the names that the fields have in this protocol."""
    first, *others = [FieldError(_name(one.field, content), one.rule) for one in error.errors]
    return type(error)(first.field, first.rule, *others)


def _name(path: str, content: Content) -> str:
    head, dot, rest = path.partition(".")
    return NAMES.get(head, f"{content.field}.content" if head == "input" else head) + dot + rest
