"""InTurn inside a LangChain program."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda

import inturn
from inturn import Client
from inturn.langchain import RemoteChain, RemoteHistory
from tests.support.processes import Stack
from tests.support.scripted_model import Handler, Script, ScriptedModel, chunk

SLOWLY = "[words 60] [pace 0.03]"


class ShorterSecondAnswer(Handler):
    """Sends `abcdef` and breaks off after it was read; sends the whole answer `abc` to every later request."""

    def _stream(self, script: Script, text: str, model: str, *, calls: str | None, hold: str | None) -> None:
        if len(self.server.requests) > 1:
            return super()._stream(script, "abc", model, calls=calls, hold=hold)
        beginning = json.dumps(chunk(model, {"content": "abcdef"}))
        self._raw(f"data: {beginning}\n\n".encode(), declared=1000)
        self.server.gates["read"].wait(60)
        return None


@pytest.fixture
def model_with_shorter_second_answer() -> Iterator[ScriptedModel]:
    model = ScriptedModel(0)
    model.RequestHandlerClass = ShorterSecondAnswer
    threading.Thread(target=model.serve_forever, daemon=True).start()
    yield model
    model.shutdown()
    model.server_close()


def in_session(session_id: str, **options: str) -> RunnableConfig:
    return {"configurable": {"session_id": session_id, **options}}


def test_the_call_of_the_langchain_example_works(client: Client) -> None:
    chain = RemoteChain(client, assistant="example") | StrOutputParser()
    chain_input = {"ability": "math", "input": "What does cosine mean?"}
    answer = chain.invoke(chain_input, config=in_session("example"))
    assert answer.startswith("answer to What does cosine mean?")
    assert RemoteHistory(client, "example").messages == [HumanMessage("What does cosine mean?"), AIMessage(answer)]


def test_it_can_follow_a_prompt_and_precede_a_function(client: Client) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "Say {word}")])
    chain = prompt | RemoteChain(client) | RunnableLambda(str.upper)
    assert chain.invoke({"word": "hello"}, config=in_session("prompt")).startswith("ANSWER TO SAY HELLO")


def test_it_streams_pieces_of_text(client: Client) -> None:
    pieces = list(RemoteChain(client).stream(f"hello {SLOWLY}", in_session("pieces")))
    assert len(pieces) > 5
    assert "".join(pieces) == RemoteHistory(client, "pieces").messages[-1].content


def test_it_has_async_methods(client: Client) -> None:
    async def program() -> tuple[str, list[str]]:
        chain = RemoteChain(client)
        answer = await chain.ainvoke("one", in_session("awaited", user_id="alice"))
        return answer, [piece async for piece in chain.astream(f"two {SLOWLY}", in_session("awaited", user_id="alice"))]

    answer, pieces = asyncio.run(program())
    contents = [message.content for message in RemoteHistory(client, "awaited", user_id="alice").messages]
    assert contents == ["one", answer, f"two {SLOWLY}", "".join(pieces)]
    assert len(pieces) > 5


def test_a_call_can_take_the_place_of_the_last_one(client: Client) -> None:
    again: RunnableConfig = {"configurable": {"session_id": "edited", "regenerate": True}}
    chain = RemoteChain(client, metadata={"from": "test"})
    with pytest.raises(inturn.SessionNotFound):
        chain.invoke("one", again)
    chain.invoke("one", in_session("edited"))
    chain.invoke("two", in_session("edited"))
    answer = asyncio.run(chain.ainvoke("zwei", again))
    assert [message.content for message in client.sessions.messages("edited")][2:] == ["zwei", answer]
    pieces = list(chain.stream("deux", again))
    messages = list(client.sessions.messages("edited"))
    assert [message.content for message in messages][2:] == ["deux", "".join(pieces)]
    assert messages[-1].metadata == {"from": "test"}


def test_a_failed_turn_raises_an_error_in_the_chain(client: Client) -> None:
    chain = RemoteChain(client)
    with pytest.raises(inturn.TurnFailed):
        chain.invoke("hello [fail 400]", in_session("failed"))
    with pytest.raises(inturn.TurnFailed):
        list(chain.stream("hello [fail 400]", in_session("failed")))
    with pytest.raises(ValueError, match="Name the session"):
        chain.invoke("hello")


def test_the_history_is_read_only(client: Client) -> None:
    history = RemoteHistory(client, "view")
    with pytest.raises(NotImplementedError, match="Turns write"):
        history.add_user_message("hello")
    with pytest.raises(NotImplementedError, match=r"sessions\.delete"):
        history.clear()


def test_a_repeated_answer_continues_after_a_killed_worker(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_LEASE_SECONDS="3")
    with Client(stack.url) as client:
        pieces = []
        for piece in RemoteChain(client).stream(f"hello {SLOWLY}", in_session("s")):
            pieces.append(piece)
            if len(pieces) == 5:
                stack.workers[0].kill()
                stack.workers.append(stack.start_worker())
        assert "".join(pieces) == RemoteHistory(client, "s").messages[-1].content


def test_pieces_are_withdrawn_if_the_next_attempt_is_shorter(
    start: Callable[..., Stack], model_with_shorter_second_answer: ScriptedModel
) -> None:
    stack = start(workers=1, OPENAI_BASE_URL=f"http://127.0.0.1:{model_with_shorter_second_answer.server_port}/v1")
    with Client(stack.url) as client:
        pieces = RemoteChain(client).stream("hello", in_session("s"))
        assert next(pieces) == "abcdef"
        model_with_shorter_second_answer.gates["read"].set()
        with pytest.raises(inturn.TextWithdrawn):
            list(pieces)
        assert RemoteHistory(client, "s").messages[-1].content == "abc"
