"""InTurn inside a LangChain program; needs `pip install "inturn[langchain]"`.

    chain = RemoteChain(Client(), assistant="example") | StrOutputParser()
    chain.invoke({"ability": "math", "input": "What does cosine mean?"}, {"configurable": {"session_id": "foobar"}})

The call is the same as for LangChain's `RunnableWithMessageHistory`; the service keeps the history.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, Unpack

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import (
    ConfigurableFieldSpec,
    Runnable,
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    ensure_config,
)

from inturn.async_client import AsyncClient
from inturn.client import Client
from inturn.errors import TextWithdrawn
from inturn.events import Delta, Done, Event, Reset
from inturn.protocol.outcomes import require_completed
from inturn.values import TurnBody, TurnOptions

ChainInput: TypeAlias = str | Mapping[str, str] | BaseMessage | PromptValue


class RemoteHistory(BaseChatMessageHistory):
    """A read-only view of a session's committed messages, fetched at each access."""

    def __init__(self, client: Client, session_id: str, *, user_id: str | None = None) -> None:
        self._client = client
        self._session_id = session_id
        self._user_id = user_id

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # the base class declares a variable
        found = self._client.sessions.messages(self._session_id, user_id=self._user_id)
        return [HumanMessage(m.content) if m.role == "user" else AIMessage(m.content) for m in found]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        raise NotImplementedError(
            "Turns write the history: use client.turns.create(…), or client.sessions.import_messages(…) to begin one."
        )

    def clear(self) -> None:
        raise NotImplementedError("This is a view; use client.sessions.delete(…) to erase a session and its turns.")


class RemoteChain(Runnable[ChainInput, str]):
    """Runs each call as a turn. The input is text, or a mapping of `input` and the assistant's variables.

    Session and user come from the call's `configurable`, as for `RunnableWithMessageHistory`.
    """

    def __init__(self, client: Client, **options: Unpack[TurnOptions]) -> None:
        self._client = client
        self._options = options

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """Fields of `configurable`, which LangServe and `config_schema()` would drop if they were not declared."""
        session = ConfigurableFieldSpec(id="session_id", annotation=str, name="Session", is_shared=True)
        user = ConfigurableFieldSpec(id="user_id", annotation=str | None, name="User", default=None, is_shared=True)
        return [session, user]

    def invoke(self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Return the whole answer. Raise `NoAnswer`."""

        def answer(chain_input: ChainInput) -> str:
            return self._client.turns.create(**self._body(chain_input, config)).wait().check().text

        return RunnableLambda(answer, name=self.get_name()).invoke(input, config, **kwargs)

    async def ainvoke(self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Return the whole answer, like `invoke`."""

        async def answer(chain_input: ChainInput) -> str:
            async with self._async_client() as client:
                turn = await client.turns.create(**self._body(chain_input, config))
                return (await turn.wait()).check().text

        return await RunnableLambda(answer, name=self.get_name()).ainvoke(input, config, **kwargs)

    def stream(self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[str]:
        """Yield pieces of the answer. Raise `NoAnswer`, or `TextWithdrawn` if pieces already yielded are void."""

        def pieces(inputs: Iterator[ChainInput]) -> Iterator[str]:
            forward = ForwardOnlyText()
            for event in self._client.turns.create(**self._body(next(inputs), config)).stream():
                yield from forward.pieces(event)

        yield from RunnableGenerator(pieces, name=self.get_name()).stream(input, config, **kwargs)

    async def astream(
        self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[str]:
        """Yield pieces of the answer, like `stream`."""

        async def pieces(inputs: AsyncIterator[ChainInput]) -> AsyncIterator[str]:
            forward = ForwardOnlyText()
            async with self._async_client() as client:
                turn = await client.turns.create(**self._body(await anext(inputs), config))
                async for event in turn.stream():
                    for piece in forward.pieces(event):
                        yield piece

        async for piece in RunnableGenerator(pieces, name=self.get_name()).astream(input, config, **kwargs):
            yield piece

    def _body(self, chain_input: ChainInput, config: RunnableConfig | None) -> TurnBody:
        return turn_body(chain_input, ensure_config(config), self._options)

    def _async_client(self) -> AsyncClient:
        """Return a client for this call only, because an asyncio client belongs to one event loop."""
        same = self._client.connection
        return AsyncClient(same.base_url, api_key=same.api_key, max_retries=same.max_retries)


class ForwardOnlyText:
    """Text for readers that cannot take a piece back: after a reset only a continuation of the same text is valid."""

    def __init__(self) -> None:
        self._yielded = ""
        self._text = ""

    def pieces(self, event: Event[Any]) -> Iterator[str]:
        match event:
            case Reset():
                self._text = ""
            case Delta(text):
                yield from self._append(text)
            case Done(turn):
                require_completed(turn)
                if self._yielded != self._text:  # possible only if the yielded text is longer
                    raise TextWithdrawn("An attempt broke off, and the answer of the next one is shorter.")

    def _append(self, text: str) -> Iterator[str]:
        self._text += text
        yielded, current = self._yielded, self._text
        if not (current.startswith(yielded) or yielded.startswith(current)):
            raise TextWithdrawn("An attempt broke off, and the next one answers differently.")
        if len(current) > len(yielded):
            self._yielded = current
            yield current.removeprefix(yielded)


def turn_body(chain_input: ChainInput, config: RunnableConfig, options: TurnOptions) -> TurnBody:
    """Return the turn for a call. Raise `ValueError` if the call names no session."""
    configurable = config.get("configurable", {})
    if "session_id" not in configurable:
        raise ValueError('Name the session: config={"configurable": {"session_id": "…"}}')
    body: TurnBody = {**options, "session_id": configurable["session_id"], "input": ""}
    if configurable.get("user_id"):
        body["user_id"] = configurable["user_id"]
    if isinstance(chain_input, Mapping):
        body["input"] = chain_input["input"]
        variables = {name: value for name, value in chain_input.items() if name != "input"}
        body["variables"] = {**(options.get("variables") or {}), **variables}
    else:
        body["input"] = _text(chain_input)
    return body


def _text(chain_input: str | BaseMessage | PromptValue) -> str:
    """Return the text of the input; of a prompt only its last message, as the session's history has the others."""
    if isinstance(chain_input, PromptValue):
        chain_input = chain_input.to_messages()[-1]
    return chain_input if isinstance(chain_input, str) else str(chain_input.text)
