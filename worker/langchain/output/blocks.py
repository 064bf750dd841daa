"""Citations and images in LangChain's standard content blocks, read from messages and written to the history."""

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from turns.domain.content.answer_parts import Extra
from worker.provider.extras.parts import to_citation, to_image
from worker.provider.request_ids import current_request


def find_extras(message: AIMessage) -> Iterator[dict[str, Any]]:
    """Yield the citations and images in a message with content blocks, or a chunk of one."""
    for block in message.content_blocks:
        if block["type"] == "image" and (image := to_image(block)):
            yield image
        elif block["type"] == "text":
            yield from filter(None, map(to_citation, block.get("annotations") or ()))


def provider_extras(text: str) -> list[Extra]:
    """Return what the thin client has received beside the text of this run, placed after it."""
    request = current_request()
    return [(len(text), part) for part in request.extras] if request else []


def with_blocks(message: BaseMessage, extras: Sequence[Extra]) -> BaseMessage:
    """Return the message with these citations and images as content blocks; without any, as it is."""
    if not extras or not isinstance(message.content, str):
        return message
    citations = [part for _, part in extras if part["type"] == "citation"]
    images = [_to_block(part["url"]) for _, part in extras if part["type"] == "image"]
    text = {"type": "text", "text": message.content, **({"annotations": citations} if citations else {})}
    return message.model_copy(update={"content": [text, *images]})


def _to_block(url: str) -> dict[str, str]:
    head, _, data = url.partition(";base64,")
    if not data:
        return {"type": "image", "url": url}
    return {"type": "image", "base64": data, "mime_type": head.removeprefix("data:")}
