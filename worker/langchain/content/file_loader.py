"""Put the bytes of uploaded files into the messages for a model, in place of the references that the history holds."""

import base64
from collections.abc import Collection
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage

from turns.backend.offload import Offload, run_inline
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.content.parts import Part, PartType, is_file_id, placeholder
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.run.claim import Claim
from turns.files.blobs import BlobMissing, Blobs, NoBlobs, open_blobs
from turns.files.media_types import is_text
from worker.langchain.content.question import question_of

Block = dict[str, Any]
Filled = tuple[list[BaseMessage], HumanMessage | None]


class FileLoader:
    """Reads files for messages. One object serves all runs of a worker."""

    def __init__(self, blobs: Blobs, *, max_bytes: int, offload: Offload = run_inline) -> None:
        """`max_bytes` is the size of all files of one request; `offload` runs what waits for the disk."""
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._offload = offload if blobs.waits_for_disk else run_inline

    def fill(self, history: list[BaseMessage], claim: Claim) -> Filled:
        """Return the history and the question of a claim with the content of their files; None for a plain question.

        If the files are too large together, the newest ones are sent. A part of the history that the assistant does not
        accept, or whose file is gone, becomes a placeholder. Raises `ModelError` if a file of the question is gone, or
        any file cannot be read.
        """
        if not claim.parts and not any(map(_has_blocks, history)):
            return history, None
        reader = _Reader(self._blobs, self._max_bytes, claim.assistant.accepts)

        def fill() -> Filled | ModelError:
            try:
                question = reader.fill(question_of(claim), is_question=True) if claim.parts else None
                return [reader.fill(message) for message in reversed(history)][::-1], cast(
                    HumanMessage | None, question
                )
            except ModelError as error:  # gevent's thread pool prints each one that is raised, even if handled
                return error

        outcome = self._offload(fill)
        if isinstance(outcome, ModelError):
            raise outcome
        return cast(Filled, outcome)


class _Reader:
    """Reads the files of one request."""

    def __init__(self, blobs: Blobs, max_bytes: int, accepts: Collection[str]) -> None:
        self._blobs = blobs
        self._bytes_left = max_bytes
        self._accepts = accepts

    def fill(self, message: BaseMessage, *, is_question: bool = False) -> BaseMessage:
        if not _has_blocks(message):
            return message
        blocks = [self._fill_block(block, is_question=is_question) for block in message.content]
        return message.model_copy(update={"content": blocks})

    def _fill_block(self, block: Any, *, is_question: bool) -> Any:
        part = Part.from_block(block)
        if part is None or part.type is PartType.TEXT or not (part.url or is_file_id(part.file_id or "")):
            return block  # another program's, which may contain its bytes
        if part.kind not in self._accepts:
            return _as_text(part)
        if part.url:
            return block
        try:
            return self._loaded(part)
        except BlobMissing:
            if is_question:
                raise ModelError(Code.FILE_MISSING, ModelErrorKind.HOPELESS, message=str(part.file_id)) from None
            get_logger().warning(Log.FILE_MISSING, file_id=part.file_id)
            return _as_text(part)
        except OSError as error:
            raise ModelError(Code.FILE_UNREADABLE, ModelErrorKind.RETRYABLE, message=str(error)) from error

    def _loaded(self, part: Part) -> Block:
        with self._blobs.open(str(part.file_id)) as stream:
            content = stream.read(self._bytes_left + 1)
        if len(content) > self._bytes_left:
            return _as_text(part)
        self._bytes_left -= len(content)
        return _to_block(part, content)


NO_FILES = FileLoader(NoBlobs(), max_bytes=0)  # for chains that run without a service


def open_file_loader(settings: Settings, offload: Offload = run_inline) -> FileLoader:
    return FileLoader(open_blobs(settings), max_bytes=settings.model_file_bytes, offload=offload)


def _has_blocks(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) and isinstance(message.content, list)


def _to_block(part: Part, content: bytes) -> Block:
    """Return the block that a provider accepts. Text is sent as text, which more of them understand than files."""
    if is_text(part.media_type):
        title = f"{part.name}:\n" if part.name else ""
        return {"type": "text", "text": title + content.decode(errors="replace")}
    block = {"type": part.type.value, "base64": base64.b64encode(content).decode(), "mime_type": part.media_type}
    if part.type is PartType.IMAGE:
        return block
    return {**block, "extras": {"filename": part.name or str(part.file_id)}}  # OpenAI refuses a file without a name


def _as_text(part: Part) -> Block:
    return {"type": "text", "text": placeholder(part)}
