"""Files are put into the messages for the model, and only there."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.assistant import Assistant
from turns.domain.content.parts import Part, PartType, new_file_id
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError
from turns.files.blobs import DirectoryBlobs
from worker.langchain.content.file_loader import FileLoader
from worker.langchain.content.question import question_of
from worker.langchain.history import StagedHistory
from worker.langchain.message_codec import encode_message

VISION = Assistant(name="vision", accepts=("text", "image", "file"))
PNG, PDF = b"\x89PNG\r\n\x1a\n...", b"%PDF-1.7\n..."


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    return DirectoryBlobs(tmp_path)


def put(blobs: DirectoryBlobs, content: bytes, media_type: str, name: str = "") -> Part:
    file_id = new_file_id()
    blobs.write(file_id, content)
    kind = PartType.IMAGE if media_type.startswith("image/") else PartType.FILE
    return Part(type=kind, file_id=file_id, media_type=media_type, name=name)


def load(
    blobs: DirectoryBlobs, *parts: Part, history: tuple[Part, ...] = (), max_bytes: int = 1000, **fields: Any
) -> tuple[list[Any], Any]:
    """Return the contents of the history and of the question, as the model receives them."""
    stored = tuple(
        encode_message(question_of(make_claim(parts=(part,))), turn_id=f"turn_{n:032x}").encode()
        for n, part in enumerate(history)
    )
    claim = make_claim(**{"assistant": VISION, "parts": parts, "messages": stored, **fields})
    staged = StagedHistory(claim.messages)
    question = staged.load_files(FileLoader(blobs, max_bytes=max_bytes), claim)
    return [message.content for message in staged.messages], question and question.content


def test_the_model_receives_the_bytes(blobs: DirectoryBlobs) -> None:
    image, document = put(blobs, PNG, "image/png"), put(blobs, PDF, "application/pdf", "a.pdf")
    _, [first, second] = load(blobs, image, document)
    assert (base64.b64decode(first["base64"]), first["mime_type"]) == (PNG, "image/png")
    assert (base64.b64decode(second["base64"]), second["extras"]) == (PDF, {"filename": "a.pdf"})


def test_a_text_file_is_sent_as_text(blobs: DirectoryBlobs) -> None:
    _, [block] = load(blobs, put(blobs, b"a,b\n", "text/csv", "table.csv"))
    assert block == {"type": "text", "text": "table.csv:\na,b\n"}


def test_what_is_stored_has_no_bytes(blobs: DirectoryBlobs) -> None:
    image = put(blobs, PNG, "image/png")
    stored = encode_message(question_of(make_claim(parts=(image,))), turn_id="turn_" + "0" * 32)
    assert json.loads(stored)["data"]["content"] == [image.block]


def test_a_plain_question_is_left_alone(blobs: DirectoryBlobs) -> None:
    assert load(blobs) == ([], None)


def test_the_newest_files_are_sent_if_all_are_too_large(blobs: DirectoryBlobs) -> None:
    old, new = put(blobs, PNG, "image/png", "old.png"), put(blobs, PNG, "image/png")
    [[first], [second]], [third] = load(blobs, put(blobs, PNG, "image/png"), history=(old, new), max_bytes=2 * len(PNG))
    assert first == {"type": "text", "text": "[image: old.png]"}
    assert [block["mime_type"] for block in (second, third)] == ["image/png"] * 2


def test_an_assistant_gets_only_what_it_accepts(blobs: DirectoryBlobs) -> None:
    address = Part(type=PartType.IMAGE, url="https://example.org/cat.png")
    [[image], [linked]], question = load(
        blobs, history=(put(blobs, PNG, "image/png"), address), assistant=Assistant(name="plain")
    )
    assert (image, linked, question) == (*[{"type": "text", "text": "[image]"}] * 2, None)


def test_a_missing_file_of_the_question_fails_the_turn(blobs: DirectoryBlobs) -> None:
    image = put(blobs, PNG, "image/png")
    blobs.delete(str(image.file_id))
    with pytest.raises(ModelError) as raised:
        load(blobs, image)
    assert raised.value.code is Code.FILE_MISSING
    [[placeholder]], _ = load(blobs, history=(image,))
    assert placeholder == {"type": "text", "text": "[image]"}


def test_an_unreadable_file_is_tried_again(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    image = put(blobs, PNG, "image/png")
    blobs.delete(str(image.file_id))
    (tmp_path / str(image.file_id)[-2:] / str(image.file_id)).mkdir()
    with pytest.raises(ModelError) as raised:
        load(blobs, image)
    assert raised.value.code is Code.FILE_UNREADABLE
