"""The type of a file is recognized by its content."""

import pytest

from turns.files.media_types import matches, recognize

CONTENTS = {
    b"\x89PNG\r\n\x1a\n....": "image/png",
    b"\xff\xd8\xff\xe0....": "image/jpeg",
    b"GIF89a....": "image/gif",
    b"RIFF\x10\x00\x00\x00WEBPVP8 ": "image/webp",
    b"RIFF\x10\x00\x00\x00WAVEfmt ": "",
    b"%PDF-1.7\n": "application/pdf",
    "Größe\n".encode(): "text/plain",
    "Größe".encode("latin-1"): "",
    b"\x7fELF\x02\x01\x01\x00": "",
    b"a\x00b": "",
}


@pytest.mark.parametrize(("content", "media_type"), CONTENTS.items())
def test_the_content_shows_the_type(content: bytes, media_type: str) -> None:
    assert recognize(content) == media_type


@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"a,b\n", "text/csv", True),
        (b"{}", "application/json", True),
        (b"a,b\n", "image/png", False),
        (b"GIF89a", "text/plain", False),
        (b"GIF89a", "image/png", False),
        (b"\x00", "text/plain", False),
    ],
)
def test_a_type_must_fit_the_content(content: bytes, media_type: str, expected: bool) -> None:
    assert matches(content, media_type) is expected
