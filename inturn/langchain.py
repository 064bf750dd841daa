"""InTurn inside a LangChain program; needs `pip install "inturn[langchain]"`.

    chain = RemoteChain(Client()) | StrOutputParser()
    chain.invoke({"ability": "math", "input": "What does cosine mean?"}, {"configurable": {"session_id": "foobar"}})

The call is that of LangChain's own example of `RunnableWithMessageHistory`; the history is kept by the service.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, Unpack

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config

from inturn.async_client import AsyncClient
from inturn.client import Client
from inturn.errors import TextWithdrawn
from inturn.events import Delta, Done, Event, Reset
from inturn.protocol.outcomes import checked
from inturn.values import TurnBody, TurnOptions

Asked: TypeAlias = str | Mapping[str, str] | BaseMessage | PromptValue


class RemoteHistory(BaseChatMessageHistory):
    """The committed messages of a session, as they are each time they are read. Turns write them."""

    def __init__(self, client: Client, session_id: str, *, user_id: str | None = None) -> None:
        self._client = client
        self._session_id = session_id
        self._user_id = user_id

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # there it is a variable
        found = self._client.sessions.messages(self._session_id, user_id=self._user_id)
        return [HumanMessage(m.content) if m.role == "user" else AIMessage(m.content) for m in found]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        raise NotImplementedError(
            "Turns write a session's history: client.turns.create(…); client.sessions.import_messages(…) begins it."
        )

    def clear(self) -> None:
        raise NotImplementedError("This is a view; client.sessions.delete(…) erases a session and its turns.")


class RemoteChain(Runnable[Asked, str]):
    """A turn for each call: the input is its text, or a mapping of `input` and the assistant's variables.

    Session and user come from the call's `configurable`, as for `RunnableWithMessageHistory`.
    """

    def __init__(self, client: Client, **options: Unpack[TurnOptions]) -> None:
        self._client = client
        self._options = options

    def invoke(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """The whole answer. Raises `NoAnswer`."""

        def run(asked: Asked) -> str:
            return self._client.turns.create(**self._body(asked, config)).wait().check().text

        return self._call_with_config(run, input, config, run_type="chain", **kwargs)

    async def ainvoke(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """As `invoke`."""

        async def run(asked: Asked) -> str:
            async with AsyncClient.of(self._client.connection) as client:
                turn = await client.turns.create(**self._body(asked, config))
                return (await turn.wait()).check().text

        return await self._acall_with_config(run, input, config, run_type="chain", **kwargs)

    def stream(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[str]:
        """The answer in pieces. Raises `NoAnswer`, and `TextWithdrawn` when pieces that were given out are void."""

        def run(asked: Iterator[Asked]) -> Iterator[str]:
            pieces = Pieces()
            for event in self._client.turns.create(**self._body(next(asked), config)).stream():
                yield from pieces.of(event)

        yield from self._transform_stream_with_config(iter([input]), run, config, run_type="chain", **kwargs)

    async def astream(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[str]:
        """As `stream`."""

        async def run(asked: AsyncIterator[Asked]) -> AsyncIterator[str]:
            pieces = Pieces()
            async with AsyncClient.of(self._client.connection) as client:
                turn = await client.turns.create(**self._body(await anext(asked), config))
                async for event in turn.stream():
                    for piece in pieces.of(event):
                        yield piece

        async for piece in self._atransform_stream_with_config(_only(input), run, config, run_type="chain", **kwargs):
            yield piece

    def _body(self, asked: Asked, config: RunnableConfig | None) -> TurnBody:
        return turn_body(asked, ensure_config(config), self._options)


class Pieces:
    """What was given out cannot be taken back: a new run may only say the same again, and go on."""

    def __init__(self) -> None:
        self._given = ""
        self._text = ""

    def of(self, event: Event[Any]) -> Iterator[str]:
        match event:
            case Reset():
                self._text = ""
            case Delta(text):
                yield from self._new(text)
            case Done(turn):
                checked(turn)
                if self._given != self._text:  # it is longer: all that is missing came before
                    raise TextWithdrawn("A run broke off, and the next one says less.")

    def _new(self, text: str) -> Iterator[str]:
        self._text += text
        known, now = self._given, self._text
        if not (now.startswith(known) or known.startswith(now)):
            raise TextWithdrawn("A run broke off, and the next one answers in other words.")
        if len(now) > len(known):
            self._given = now
            yield now.removeprefix(known)


def turn_body(asked: Asked, config: RunnableConfig, options: TurnOptions) -> TurnBody:
    """Raises `ValueError` where there is no session or no text."""
    configurable = config.get("configurable", {})
    if "session_id" not in configurable:
        raise ValueError('Name the session: config={"configurable": {"session_id": "…"}}')
    body: TurnBody = {**options, "session_id": configurable["session_id"], "input": ""}
    if configurable.get("user_id"):
        body["user_id"] = configurable["user_id"]
    if isinstance(asked, Mapping):
        body["input"] = asked["input"]
        body["variables"] = {**(options.get("variables") or {}), **{k: v for k, v in asked.items() if k != "input"}}
    else:
        body["input"] = _text(asked)
    return body


def _text(asked: str | BaseMessage | PromptValue) -> str:
    """Of a prompt its last message: those before it are in the session's history already."""
    if isinstance(asked, PromptValue):
        asked = asked.to_messages()[-1]
    return asked if isinstance(asked, str) else str(asked.text)


async def _only(asked: Asked) -> AsyncIterator[Asked]:
    yield asked
