"""The types of files, recognized by their content and never by their name."""

from types import MappingProxyType

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF = "application/pdf"
HEAD_BYTES = 1024  # in which readers of PDF search its header
SIGNATURES = MappingProxyType(
    {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif"}
)
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r")  # bytes that no text contains


def recognize(content: bytes) -> str:
    """Return the type of a file; `text/plain` for UTF-8 text of any kind, "" for anything else."""
    head = content[:HEAD_BYTES]
    for signature, media_type in SIGNATURES.items():
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if b"%PDF-" in head:
        return PDF
    return "text/plain" if _is_text(content) else ""


def matches(content: bytes, media_type: str) -> bool:
    """Return whether a file can have this type, as far as its content shows."""
    recognized = recognize(content)
    return recognized == media_type or (recognized == "text/plain" and is_text(media_type))


def is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type == "application/json"


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return CONTROLS.isdisjoint(content)
