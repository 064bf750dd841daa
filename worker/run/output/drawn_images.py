"""Store the images of an answer as files, so that the history and the output refer to them instead of holding bytes."""

import base64
import binascii

from turns.config.logs import Log, get_logger
from turns.domain.content.answer_parts import OutputPart
from turns.domain.errors import FilesFull, FilesUnavailable, FileTypeRefused, StoreUnavailable
from turns.domain.ids import tenant_of
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.files.store import FileStore
from worker.langchain.output.blocks import replace_images

INLINE = ";base64,"


class DrawnImages:
    """Each file belongs to the tenant and the user of its turn. `commit` lets the turn and its session hold it."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    def store(self, answer: Answer, claim: Claim) -> Answer:
        """Return the answer with files in place of inline images. An image that cannot be stored stays as it is."""
        if not self._files.takes_files:
            return answer
        urls = dict.fromkeys(part["url"] for _, part in answer.extras if INLINE in part.get("url", ""))
        stored = {url: part for url in urls if (part := self._store_image(url, claim))}
        return replace_images(answer, stored) if stored else answer

    def _store_image(self, url: str, claim: Claim) -> OutputPart | None:
        """Return the part that refers to the stored image; None if it cannot be stored."""
        try:
            content = base64.b64decode(url.partition(INLINE)[2], validate=True)
            file = self._files.add(
                content,
                media_type="",
                name="",
                tenant=tenant_of(claim.session),
                user_id=claim.user_id,
                near=claim.session,
            )
        except (binascii.Error, FileTypeRefused, FilesFull, FilesUnavailable, StoreUnavailable) as error:
            # The answer has been paid for, so it is kept even if the disk is full.
            get_logger().warning(Log.IMAGE_NOT_STORED, error=str(error) or type(error).__name__)
            return None
        return {"type": "image", "file_id": file.id, "media_type": file.media_type} if file.is_image else None
