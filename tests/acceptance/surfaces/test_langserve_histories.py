"""A directory of histories passes from a server of LangServe's examples to ours and back."""

from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_message_histories import FileChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory
from langserve import RemoteRunnable

from tests.support.processes import Stack


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("histories") / "chats"


@pytest.fixture(scope="module")
def settings(directory: Path) -> dict[str, str]:
    return {"INTURN_HISTORY": f"file:{directory}", "INTURN_LANGSERVE_ROOT": "default"}


def repeat_history(given: dict[str, Any]) -> AIMessage:
    return AIMessage("heard " + ", ".join(message.text for message in given["history"]))


def langserve(file: Path) -> RunnableWithMessageHistory:
    """Return the chain of such a server; its model answers with the texts of the history."""
    return RunnableWithMessageHistory(
        RunnableLambda(repeat_history),
        lambda _: FileChatMessageHistory(str(file)),
        input_messages_key="human_input",
        history_messages_key="history",
    )


@pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")
@pytest.mark.parametrize(
    ("name", "cookies", "folder"), [("session_id", {}, "-"), ("conversation_id", {"user_id": "eugene"}, "eugene")]
)
def test_histories_of_langserve_are_continued_and_given_back(
    stack: Stack, directory: Path, name: str, cookies: dict[str, str], folder: str
) -> None:
    file = directory / folder / "chat.json"
    file.parent.mkdir(exist_ok=True)
    theirs = langserve(file)
    config: RunnableConfig = {"configurable": {"session_id": "chat"}}
    theirs.invoke({"human_input": "my name is eugene"}, config)
    ours: RemoteRunnable[Any, Any] = RemoteRunnable(f"{stack.url}/", cookies=cookies)
    answer = ours.invoke({"human_input": f"what was it, {folder}?"}, {"configurable": {name: "chat"}})
    asked = stack.model_requests(f"what was it, {folder}?")[0]["messages"]
    assert [message["content"] for message in asked][1:] == ["my name is eugene", "heard ", f"what was it, {folder}?"]
    streamed = ours.stream({"human_input": "and streamed?"}, {"configurable": {name: "chat"}})
    text = "".join(chunk.text for chunk in streamed)
    again = theirs.invoke({"human_input": "what was my name?"}, config)
    kept = ["my name is eugene", "heard ", f"what was it, {folder}?", answer.text, "and streamed?", text]
    assert again.text == "heard " + ", ".join(kept)
    assert [type(message) for message in FileChatMessageHistory(str(file)).messages] == [HumanMessage, AIMessage] * 4
