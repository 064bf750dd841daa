"""The messages of a completion."""

from typing import Any

import pytest

from turns.domain.errors import InvalidRequest
from web.surfaces.openai.attachments import Attachment
from web.surfaces.openai.chat.messages import (
    MAX_PAST_BYTES,
    Content,
    Conversation,
    MessageBody,
    read_conversation,
)
from web.surfaces.openai.unsupported import UnsupportedParameter


def read(*messages: tuple[str, Any] | dict[str, Any]) -> Conversation:
    given = [m if isinstance(m, dict) else {"role": m[0], "content": m[1]} for m in messages]
    return read_conversation([MessageBody.model_validate(message) for message in given])


def test_instructions_past_and_question_are_told_apart() -> None:
    assert read(
        ("system", "Be brief."),
        ("developer", [{"type": "text", "text": "Be kind."}]),
        ("user", "a"),
        ("assistant", [{"type": "text", "text": "b"}, {"type": "refusal", "refusal": "c"}]),
        ("user", "d"),
    ) == Conversation(
        "Be brief.\n\nBe kind.",
        (Content("messages.2", "user", "a"), Content("messages.3", "assistant", "bc")),
        Content("messages.4", "user", "d"),
    )


def test_an_empty_answer_is_left_out_of_the_past() -> None:
    conversation = read(("user", "a"), ("assistant", ""), {"role": "assistant"}, ("user", "b"))
    assert conversation.past == (Content("messages.0", "user", "a"),)


def test_images_and_files_are_parts() -> None:
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "file", "file": {"file_data": "data:text/plain,a%20b", "filename": "a.txt"}},
        {"type": "file", "file": {"file_id": "file_" + "0" * 32}},
        {"type": "text", "text": ""},
    ]
    question = read(("user", parts)).question
    assert question.text == "see"
    assert question.parts == (
        {"type": "text", "text": "see"},
        Attachment("image", b"hi", "image/png"),
        {"type": "image", "url": "https://example.com/cat.png"},
        Attachment("file", b"a b", "text/plain", "a.txt"),
        {"type": "file", "file_id": "file_" + "0" * 32},
    )


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([("tool", "x"), ("user", "a")], "messages.0.role"),
        ([("user", "a"), {"role": "assistant", "tool_calls": [{}]}, ("user", "b")], "messages.1.tool_calls"),
        ([{"role": "user", "content": "a", "name": "Ada"}], "messages.0.name"),
        ([("user", "a"), ("system", "late"), ("user", "b")], "messages.1.role"),
        ([("assistant", "Welcome"), ("user", "a")], "messages.0.role"),
        ([("user", [{"type": "input_audio", "input_audio": {}}])], "messages.0.content.0"),
        ([("user", "a"), ("assistant", [{"type": "image_url"}]), ("user", "b")], "messages.1.content.0"),
    ],
)
def test_what_would_not_reach_the_model_is_refused(messages: list[Any], field: str) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        read(*messages)
    assert caught.value.errors[0].field == field


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([("user", "a"), ("assistant", "b")], "messages.1.role"),
        ([("system", "a")], "messages.0.role"),
        ([("user", "a\0b"), ("user", "c")], "messages.0.content"),
        ([("user", "\ud800"), ("user", "c")], "messages.0.content"),
        ([("user", "a" * (MAX_PAST_BYTES + 1)), ("user", "b")], "messages"),
        ([("user", [{"type": "text"}])], "messages.0.content.0.text"),
        ([("user", [{"type": "text", "text": "x"}] * 17)], "messages.0.content"),
        ([("user", [{"type": "image_url", "image_url": "x"}])], "messages.0.content.0.image_url"),
        (
            [("user", [{"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}}])],
            "messages.0.content.0.image_url.url",
        ),
        ([("user", [{"type": "file", "file": {"file_data": "aGk="}}])], "messages.0.content.0.file.file_data"),
    ],
)
def test_a_wrong_message_is_named(messages: list[Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(*messages)
    assert caught.value.errors[0].field == field
