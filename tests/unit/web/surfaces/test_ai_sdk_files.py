"""The files in the messages of a page, as parts of an input."""

import pytest

from turns.domain.errors import InvalidRequest
from turns.files.store import StoredFile
from web.surfaces.ai_sdk.files import FilePart

FILE_ID = "file_" + "0" * 32


def keep(content: bytes, media_type: str, name: str) -> StoredFile:
    """Return a file whose digest shows what was stored."""
    return StoredFile(
        id=FILE_ID,
        tenant="default",
        user_id=None,
        name=name,
        media_type=media_type,
        size_bytes=len(content),
        sha256=content.decode(),
        created_at=0,
    )


def to_input(url: str, media_type: str) -> dict[str, str]:
    return FilePart.parse({"type": "file", "url": url, "mediaType": media_type}, "messages.0.parts.1").to_input(keep)


def test_a_data_url_is_stored() -> None:
    stored = {"type": "image", "file_id": FILE_ID}
    assert to_input("data:image/png;base64,YWJj", "image/png") == stored
    assert to_input("data:text/plain;charset=utf-8,a%20b", "text/plain") == {**stored, "type": "file"}


def test_an_uploaded_file_keeps_its_id() -> None:
    for url in (f"/v1/files/{FILE_ID}", f"https://inturn.example.com/prefix/v1/files/{FILE_ID}"):
        assert to_input(url, "application/pdf") == {"type": "file", "file_id": FILE_ID}


def test_only_an_image_can_be_elsewhere() -> None:
    address = "https://example.com/cat.png"
    assert to_input(address, "image/png") == {"type": "image", "url": address}
    with pytest.raises(InvalidRequest, match=r"messages\.0\.parts\.1\.url: must be a data URL"):
        to_input("https://example.com/a.pdf", "application/pdf")


def test_a_name_loses_what_no_file_name_has() -> None:
    part = {"type": "file", "url": "data:,x", "mediaType": "text/plain", "filename": 'a/b\\c"d\n' + "e" * 300}
    assert FilePart.parse(part, "parts").name == "abcd" + "e" * 196


@pytest.mark.parametrize("url", ["data:image/png;base64,?", "data:", None])
def test_what_is_no_data_url_is_refused(url: str | None) -> None:
    with pytest.raises(InvalidRequest, match=r"messages\.0\.parts\.1"):
        FilePart.parse({"url": url, "mediaType": "image/png"}, "messages.0.parts.1").to_input(keep)
