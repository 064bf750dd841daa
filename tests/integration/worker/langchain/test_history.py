"""The direct history wrapper does to a chain and to a history what LangChain's own does."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec, Runnable, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory

from worker.langchain.history import FastMessageHistory, StagedHistory
from worker.provider.models import OfflineModel

# It is what is compared with; tools/requirements/service.in holds the version that has it.
pytestmark = pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")

STORED = [
    b'{"type": "human", "data": {"content": "What does cosine mean?"}}',
    b'{"type": "ai", "data": {"content": "A ratio."}}',
]
GIVEN = {"input": "What's its inverse"}
PROMPT = ChatPromptTemplate.from_messages([("system", "s"), MessagesPlaceholder("history"), ("human", "{input}")])
CHAINS = {
    "a model": PROMPT | OfflineModel(),
    "text": PROMPT | OfflineModel() | StrOutputParser(),
    "a function": PROMPT | OfflineModel() | RunnableLambda(lambda message: message.content.upper()),
}


def wrapped(kind: type[RunnableWithMessageHistory], chain: Runnable[Any, Any]) -> RunnableWithMessageHistory:
    return kind(
        chain,
        lambda history: history,
        input_messages_key="input",
        history_messages_key="history",
        history_factory_config=[ConfigurableFieldSpec(id="history", annotation=StagedHistory)],
    )


def staged(history: StagedHistory) -> list[Any]:
    return [(type(m), m.content, m.response_metadata, getattr(m, "usage_metadata", None)) for m in history.staged]


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("call", ["invoke", "stream"])
def test_it_says_and_stages_the_same(name: str, call: str) -> None:
    seen = []
    for kind in (RunnableWithMessageHistory, FastMessageHistory):
        history = StagedHistory(STORED)
        said = getattr(wrapped(kind, CHAINS[name]), call)(GIVEN, {"configurable": {"history": history}})
        pieces = list(said) if call == "stream" else [said]
        seen.append(("".join(getattr(piece, "content", piece) for piece in pieces), staged(history)))
    assert seen[0] == seen[1]
    assert "cosine" in seen[0][0].lower()


def test_an_error_passes_and_nothing_is_staged() -> None:
    def fail(_: object) -> Iterator[str]:
        yield "half of "
        raise ValueError("a bug")

    history = StagedHistory(STORED)
    chunks = wrapped(FastMessageHistory, PROMPT | RunnableLambda(fail)).stream(
        GIVEN, {"configurable": {"history": history}}
    )
    assert next(chunks) == "half of "
    with pytest.raises(ValueError, match="a bug"):
        next(chunks)
    assert history.staged == []


def test_what_is_not_read_to_its_end_is_not_staged() -> None:
    history = StagedHistory(STORED)
    chunks = wrapped(FastMessageHistory, CHAINS["a model"]).stream(GIVEN, {"configurable": {"history": history}})
    assert next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # a generator
    assert history.staged == []


def test_where_there_is_a_callback_it_is_told_all_that_the_stock_wrapper_tells() -> None:
    class Names(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def on_chain_start(self, *_: Any, **more: Any) -> None:
            self.seen.append(more["name"])

    told = []
    for kind in (RunnableWithMessageHistory, FastMessageHistory):
        history, names = StagedHistory(STORED), Names()
        config: Any = {"configurable": {"history": history}, "callbacks": [names]}
        list(wrapped(kind, CHAINS["a model"]).stream(GIVEN, config))
        told.append((sorted(names.seen), staged(history)))  # some of them run in threads
    assert told[0] == told[1]
    assert len(told[0][0]) > 1
