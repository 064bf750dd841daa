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

from inturn.async_client import AsyncClient, AsyncTurn
from inturn.client import Client, Turn
from inturn.errors import TextWithdrawn
from inturn.events import Delta, Done, Event, Reset
from inturn.protocol.outcomes import require_completed
from inturn.values import Changes, Message, TurnBody, TurnOptions

EDITABLE = frozenset(Changes.__annotations__) & frozenset(TurnOptions.__annotations__)
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

    Session and user come from the call's `configurable`, as for `RunnableWithMessageHistory`. With `regenerate` in it,
    the turn replaces the last one of the session when it completes, so another input is an edit of the last question.
    """

    def __init__(self, client: Client, **options: Unpack[TurnOptions]) -> None:
        self._client = client
        self._options = options

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """Fields of `configurable`, which LangServe and `config_schema()` would drop if they were not declared."""
        session = ConfigurableFieldSpec(id="session_id", annotation=str, name="Session", is_shared=True)
        user = ConfigurableFieldSpec(id="user_id", annotation=str | None, name="User", default=None, is_shared=True)
        regenerate = ConfigurableFieldSpec(
            id="regenerate", annotation=bool, name="Regenerate", default=False, is_shared=True
        )
        return [session, user, regenerate]

    def invoke(self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Return the whole answer. Raise `NoAnswer`."""

        def answer(chain_input: ChainInput) -> str:
            return self._create(self._body(chain_input, config), config).wait().check().text

        return RunnableLambda(answer, name=self.get_name()).invoke(input, config, **kwargs)

    async def ainvoke(self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Return the whole answer, like `invoke`."""

        async def answer(chain_input: ChainInput) -> str:
            async with self._async_client() as client:
                turn = await _create(client, self._body(chain_input, config), config)
                return (await turn.wait()).check().text

        return await RunnableLambda(answer, name=self.get_name()).ainvoke(input, config, **kwargs)

    def stream(self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[str]:
        """Yield pieces of the answer. Raise `NoAnswer`, or `TextWithdrawn` if pieces already yielded are void."""

        def pieces(inputs: Iterator[ChainInput]) -> Iterator[str]:
            forward = ForwardOnlyText()
            for event in self._create(self._body(next(inputs), config), config).stream():
                yield from forward.pieces(event)

        yield from RunnableGenerator(pieces, name=self.get_name()).stream(input, config, **kwargs)

    async def astream(
        self, input: ChainInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[str]:
        """Yield pieces of the answer, like `stream`."""

        async def pieces(inputs: AsyncIterator[ChainInput]) -> AsyncIterator[str]:
            forward = ForwardOnlyText()
            async with self._async_client() as client:
                turn = await _create(client, self._body(await anext(inputs), config), config)
                async for event in turn.stream():
                    for piece in forward.pieces(event):
                        yield piece

        async for piece in RunnableGenerator(pieces, name=self.get_name()).astream(input, config, **kwargs):
            yield piece

    def _body(self, chain_input: ChainInput, config: RunnableConfig | None) -> TurnBody:
        return turn_body(chain_input, ensure_config(config), self._options)

    def _create(self, body: TurnBody, config: RunnableConfig | None) -> Turn:
        """Submit the turn, in the place of the last one if the call says so."""
        if not is_regeneration(config):
            return self._client.turns.create(**body)
        found = self._client.sessions.messages(body["session_id"], user_id=body.get("user_id"), order="desc", limit=1)
        return self._client.turns.regenerate(last_turn(list(found)), **to_edit(body))

    def _async_client(self) -> AsyncClient:
        """Return a client for this call only, because an asyncio client belongs to one event loop."""
        same = self._client.connection
        return AsyncClient(same.base_url, api_key=same.api_key, max_retries=same.max_retries)


async def _create(client: AsyncClient, body: TurnBody, config: RunnableConfig | None) -> AsyncTurn:
    """Submit the turn like `RemoteChain._create`."""
    if not is_regeneration(config):
        return await client.turns.create(**body)
    found = client.sessions.messages(body["session_id"], user_id=body.get("user_id"), order="desc", limit=1)
    return await client.turns.regenerate(last_turn([message async for message in found]), **to_edit(body))


def is_regeneration(config: RunnableConfig | None) -> bool:
    return bool(ensure_config(config).get("configurable", {}).get("regenerate"))


def last_turn(newest: Sequence[Message]) -> str:
    """Return the turn of the newest message. Raise `ValueError` if there is none."""
    if not newest or newest[0].turn_id is None:
        raise ValueError("The session has no answer of a turn that could be regenerated.")
    return newest[0].turn_id


def to_edit(body: TurnBody) -> dict[str, Any]:
    """Return the arguments of `regenerate` for this turn; it is refused if another turn was faster."""
    changes = {name: value for name, value in body.items() if name in EDITABLE}
    return {"input": body["input"], "fork": "never", **changes}


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
