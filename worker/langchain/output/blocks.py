"""Citations and images in LangChain's standard content blocks, read from messages and written to the history."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from turns.domain.content.answer_parts import Extra, OutputPart
from turns.domain.run.answer import Answer
from worker.langchain.message_codec import to_json
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


def replace_images(answer: Answer, parts: Mapping[str, OutputPart]) -> Answer:
    """Return the answer with these parts, which refer to files, in place of the images with these addresses."""
    extras = tuple((offset, parts.get(part.get("url", ""), part)) for offset, part in answer.extras)
    return replace(
        answer,
        extras=extras,
        between_messages=tuple(_replace_blocks(message, parts) for message in answer.between_messages),
        answer_message=_replace_blocks(answer.answer_message, parts),
        files=tuple(part["file_id"] for part in parts.values()),
    )


def _replace_blocks(message: str, parts: Mapping[str, OutputPart]) -> str:
    """Return a stored message with references to files in place of these images."""
    stored = json.loads(message)
    content = stored["data"]["content"]
    if not isinstance(content, list):
        return message
    images = [to_image(block) or {} for block in content]
    found = [parts.get(image.get("url", "")) for image in images]
    stored["data"]["content"] = [
        {"type": "image", "file_id": part["file_id"], "mime_type": part["media_type"]} if part else block
        for block, part in zip(content, found, strict=True)
    ]
    return to_json(stored)


def _to_block(url: str) -> dict[str, str]:
    head, _, data = url.partition(";base64,")
    if not data:
        return {"type": "image", "url": url}
    return {"type": "image", "base64": data, "mime_type": head.removeprefix("data:")}
