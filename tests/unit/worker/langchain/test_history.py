import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from worker.langchain.history import StagedHistory


def test_a_history_begins_with_a_question() -> None:
    """Providers refuse a conversation whose window begins with an answer."""
    stored = [b'{"type": "ai", "data": {"content": "a"}}', b'{"type": "human", "data": {"content": "q"}}']
    assert [message.content for message in StagedHistory(stored).messages] == ["q"]


def test_a_streamed_answer_is_staged_as_a_whole_message() -> None:
    staged = StagedHistory([])
    staged.add_messages([HumanMessage("q"), AIMessageChunk(content="a")])
    assert [type(message) for message in staged.staged] == [HumanMessage, AIMessage]
    assert staged.staged_pair() is not None


@pytest.mark.parametrize("messages", [[], [HumanMessage("q")], [SystemMessage("s"), AIMessage("a")]])
def test_only_a_question_and_its_answer_form_a_turn(messages: list[HumanMessage]) -> None:
    staged = StagedHistory([])
    staged.add_messages(messages)
    assert staged.staged_pair() is None
