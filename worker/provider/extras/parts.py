"""Citations and images in the form of a turn's output, whatever the provider calls them."""

import re
from collections.abc import Iterator
from typing import Any

Part = dict[str, Any]

MAX_EXTRAS = 100  # of one answer
TEXTS = {"title": 300, "cited_text": 1000}  # maximum characters of the texts of a citation
WEB_URL = re.compile(r"https?://[^\s\x00-\x1f]{1,2000}")
IMAGE_URL = re.compile(r"data:image/[A-Za-z0-9.+-]{1,50};base64,[A-Za-z0-9+/=_-]+")


def to_citation(given: Any) -> Part | None:
    """Return the citation in an annotation of OpenAI's or LangChain's form, or None if it is nothing of that kind."""
    if not isinstance(given, dict):
        return None
    source = given["url_citation"] if isinstance(given.get("url_citation"), dict) else given
    url = source.get("url")
    texts = {name: _shorten(source.get(name), most) for name, most in TEXTS.items()}
    part = {"url": url if isinstance(url, str) and WEB_URL.fullmatch(url) else None, **texts, **_positions(source)}
    found = {name: value for name, value in part.items() if value is not None}
    return {"type": "citation", **found} if found.keys() & {"url", *TEXTS} else None


def to_image(given: Any) -> Part | None:
    """Return the image in a block of OpenAI's or LangChain's form, or None if it is nothing of that kind."""
    if not isinstance(given, dict):
        return None
    nested = given.get("image_url")
    url = nested.get("url") if isinstance(nested, dict) else given.get("url")
    if isinstance(given.get("base64"), str):
        url = f"data:{given.get('mime_type')};base64,{given['base64']}"
    if not isinstance(url, str) or not (WEB_URL.fullmatch(url) or IMAGE_URL.fullmatch(url)):
        return None
    return {"type": "image", "url": url}


def add_extras(extras: list[Part], chunk: dict[str, Any]) -> None:
    """Add what a chunk of a completion has beside its text, once."""
    for part in _find(chunk):
        if part and part not in extras and len(extras) < MAX_EXTRAS:
            extras.append(part)


def _find(chunk: dict[str, Any]) -> Iterator[Part | None]:
    # Perplexity and others name the sources of the whole answer, in each chunk.
    results = _list(chunk.get("search_results"))
    yield from map(to_citation, results or [{"url": url} for url in _list(chunk.get("citations"))])
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") or choice.get("message") or {}
        yield from map(to_citation, _list(delta.get("annotations")))
        yield from map(to_image, _list(delta.get("images")))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _positions(source: dict[str, Any]) -> Part:
    start, end = source.get("start_index"), source.get("end_index")
    return {"start_index": start, "end_index": end} if type(start) is type(end) is int and 0 <= start <= end else {}


def _shorten(text: Any, max_characters: int) -> str | None:
    if not isinstance(text, str) or not text:
        return None
    return text[:max_characters].encode(errors="replace").decode()
