"""Test that the images of an answer become files."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.errors import FilesFull, FilesUnavailable, FileTypeRefused, StoreUnavailable
from turns.domain.run.answer import Answer
from turns.files.store import StoredFile
from worker.run.output.drawn_images import DrawnImages

FILE = StoredFile(
    id="file_1", tenant="-", user_id=None, name="", media_type="image/png", size_bytes=3, sha256="", created_at=1
)


class FakeFiles:
    takes_files = True

    def __init__(self, reply: StoredFile | Exception = FILE) -> None:
        self.reply = reply
        self.added: list[tuple[bytes, dict[str, Any]]] = []

    def add(self, content: bytes, **fields: Any) -> StoredFile:
        self.added.append((content, fields))
        if isinstance(self.reply, Exception):
            raise self.reply
        return replace(self.reply, id=f"file_{len(self.added)}")


def url(content: bytes = b"png") -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def answer(*urls: str) -> Answer:
    blocks = [{"type": "text", "text": "Noon."}]
    for one in urls:
        inline = {"type": "image", "base64": one.partition(";base64,")[2], "mime_type": "image/png"}
        blocks.append(inline if one.startswith("data:") else {"type": "image", "url": one})
    stored = json.dumps({"type": "ai", "data": {"content": blocks}})
    extras = tuple((5, {"type": "image", "url": one}) for one in urls)
    return Answer(question_message="", answer_message=stored, output="Noon.", model="m", usage=None, extras=extras)


def store(files: FakeFiles, given: Answer, **claim: Any) -> Answer:
    return DrawnImages(files).store(given, make_claim(**claim))  # type: ignore[arg-type]  # a stand-in


def content_of(stored: str) -> Any:
    return json.loads(stored)["data"]["content"]


def test_an_image_becomes_a_file_of_the_turns_user() -> None:
    files = FakeFiles()
    result = store(files, answer(url()), session="acme/s", user_id="ada")
    [(content, fields)] = files.added
    assert (content, fields["tenant"], fields["user_id"]) == (b"png", "acme", "ada")
    assert result.extras == ((5, {"type": "image", "file_id": "file_1", "media_type": "image/png"}),)
    assert content_of(result.answer_message)[1] == {"type": "image", "file_id": "file_1", "mime_type": "image/png"}
    assert result.files == ("file_1",)


def test_each_image_is_stored_once_and_addresses_stay() -> None:
    files = FakeFiles()
    result = store(files, answer(url(b"a"), "https://x/y.png", url(b"b"), url(b"a")))
    assert [content for content, _ in files.added] == [b"a", b"b"]
    assert [part.get("file_id") for _, part in result.extras] == ["file_1", None, "file_2", "file_1"]
    assert content_of(result.answer_message)[2] == {"type": "image", "url": "https://x/y.png"}


@pytest.mark.parametrize(
    "error",
    [FileTypeRefused(), FilesFull(), FilesUnavailable(), StoreUnavailable("away")],
    ids=lambda e: type(e).__name__,
)
def test_an_image_that_cannot_be_stored_stays_inline(error: Exception) -> None:
    given = answer(url())
    assert store(FakeFiles(error), given) is given


@pytest.mark.parametrize("data", ["AA=A", "_-==", "A"])
def test_an_image_without_valid_base64_stays_inline(data: str) -> None:
    files, given = FakeFiles(), answer(f"data:image/png;base64,{data}")
    assert store(files, given) is given
    assert files.added == []


def test_a_service_without_files_keeps_images_inline() -> None:
    files, given = FakeFiles(), answer(url())
    files.takes_files = False
    assert store(files, given) is given
    assert files.added == []


def test_images_in_tool_messages_are_replaced_too() -> None:
    block = {"type": "image_url", "image_url": {"url": url()}}
    between = json.dumps({"type": "tool", "data": {"content": ["text", block], "tool_call_id": "1"}})
    result = store(FakeFiles(), replace(answer(url()), between_messages=(between,)))
    assert content_of(result.between_messages[0]) == [
        "text",
        {"type": "image", "file_id": "file_1", "mime_type": "image/png"},
    ]
