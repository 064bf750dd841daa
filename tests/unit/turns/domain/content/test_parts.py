"""Parts, their content blocks and their text."""

import pytest

from turns.domain.content.parts import Part, PartType, from_json, text_of, to_json
from turns.domain.messages import Message

FILE_ID = "file_" + "a" * 32
TEXT = Part(type=PartType.TEXT, text="What is this?")
IMAGE = Part(type=PartType.IMAGE, file_id=FILE_ID, name="cat.png", media_type="image/png")
ADDRESS = Part(type=PartType.IMAGE, url="https://example.org/cat.png")
DOCUMENT = Part(type=PartType.FILE, file_id=FILE_ID, media_type="application/pdf")


def test_parts_survive_as_content_blocks() -> None:
    parts = (TEXT, IMAGE, ADDRESS, DOCUMENT)
    assert from_json(to_json(parts)) == parts


def test_an_image_block_is_langchains() -> None:
    extras = {"filename": "cat.png"}
    assert IMAGE.block == {"type": "image", "file_id": FILE_ID, "mime_type": "image/png", "extras": extras}


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((TEXT,), "What is this?"),
        ((IMAGE, TEXT), "[image: cat.png]\nWhat is this?"),
        ((TEXT, IMAGE, DOCUMENT, TEXT), "What is this?\n[image: cat.png]\n[file]\nWhat is this?"),
        ((TEXT, TEXT), "What is this?What is this?"),
        ((ADDRESS,), "[image]"),
    ],
)
def test_each_part_that_is_not_text_has_a_placeholder(parts: tuple[Part, ...], text: str) -> None:
    assert text_of(parts) == text


def test_a_stored_message_shows_placeholders_and_parts() -> None:
    stored = f'{{"type": "human", "data": {{"content": {to_json((TEXT, IMAGE))}}}}}'.encode()
    message = Message.from_stored(1, stored)
    assert message
    assert (message.content, message.parts) == ("What is this?\n[image: cat.png]", (TEXT, IMAGE))


def test_bytes_of_other_programs_are_never_shown() -> None:
    content = '[{"type": "image", "base64": "AAAA"}, {"type": "image_url", "image_url": {"url": "data:x"}}, 3]'
    message = Message.from_stored(1, f'{{"type": "human", "data": {{"content": {content}}}}}'.encode())
    assert message
    assert message.content == "[image]"
