"""The clients in Python: each function holds one conversation and returns the answers by text."""

import hashlib
import time
from functools import partial
from itertools import cycle
from typing import Any

import httpx
from langchain_core.runnables import RunnableConfig
from langserve import RemoteRunnable
from openai import OpenAI, OpenAIError
from openai.types.chat import ChatCompletionMessageParam

from inturn import Client, InTurnError
from tests.chaos.surfaces.talking import Answers, Conversation, repeat

POLL_SECONDS = 0.1
WAITING = 3  # turns of ours that wait in a session at the same time


def inturn(url: str, conversation: Conversation) -> Answers:
    """Submit several turns before the first one has ended."""
    answers: dict[str, str] = {}
    with Client(url) as client:
        submit = partial(client.turns.create, conversation.session)
        for begin in range(0, len(conversation.texts), WAITING):
            texts = conversation.texts[begin : begin + WAITING]
            turns = [repeat(partial(submit, text, idempotency_key=key_of(text)), InTurnError) for text in texts]
            ended = [repeat(turn.wait, InTurnError) for turn in turns]
            answers |= {text: turn.output or "" for text, turn in zip(texts, ended, strict=True)}
    return answers


def langserve(url: str, conversation: Conversation) -> Answers:
    """Call `invoke` and `stream` in turn. A call that failed is repeated with the same `Idempotency-Key`."""
    config: RunnableConfig = {"configurable": {"session_id": conversation.session}}
    answers = {}
    for text, ask in zip(conversation.texts, cycle((invoke, stream)), strict=False):
        chat: RemoteRunnable[Any, Any] = RemoteRunnable(
            f"{url}/langserve/default", headers={"Idempotency-Key": key_of(text)}
        )
        answers[text] = repeat(partial(ask, chat, text, config), httpx.HTTPError)
    return answers


def openai(url: str, conversation: Conversation) -> Answers:
    """Create responses in the background and retrieve them until they have ended."""
    with OpenAI(base_url=f"{url}/openai/v1", api_key="unused") as client:
        respond_to = partial(respond, client, conversation.session)
        return {text: repeat(partial(respond_to, text), OpenAIError) for text in conversation.texts}


def respond(client: OpenAI, session: str, text: str) -> str:
    key = {"Idempotency-Key": key_of(text)}
    response = client.responses.create(conversation=session, input=text, background=True, extra_headers=key)
    while response.status in {"queued", "in_progress"}:
        time.sleep(POLL_SECONDS)
        response = client.responses.retrieve(response.id)
    return response.output_text


def openai_chat(url: str, conversation: Conversation) -> Answers:
    """Complete chats with all earlier messages, bound to a session by a header."""
    messages: list[ChatCompletionMessageParam] = []
    answers = {}
    with OpenAI(base_url=f"{url}/openai/v1", api_key="unused") as client:
        for text in conversation.texts:
            messages.append({"role": "user", "content": text})
            headers = {"X-InTurn-Session": conversation.session, "Idempotency-Key": key_of(text)}
            create = partial(client.chat.completions.create, model="default", extra_headers=headers)
            completion = repeat(partial(create, messages=messages), OpenAIError)
            answers[text] = completion.choices[0].message.content or ""
            messages.append({"role": "assistant", "content": answers[text]})
    return answers


def invoke(chat: RemoteRunnable[Any, Any], text: str, config: RunnableConfig) -> str:
    answer: str = chat.invoke({"input": text}, config).text
    return answer


def stream(chat: RemoteRunnable[Any, Any], text: str, config: RunnableConfig) -> str:
    return "".join(chunk.text for chunk in chat.stream({"input": text}, config))


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
