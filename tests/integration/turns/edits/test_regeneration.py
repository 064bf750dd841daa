from collections.abc import Callable

import pytest

from tests.integration.turns.edits.conftest import Chat, answer_of, with_tool
from tests.support.server import Server
from turns.backend import keys
from turns.domain.error_codes import Code
from turns.domain.errors import (
    IdempotencyKeyReused,
    LeaseLost,
    SessionBusy,
    TurnNotCommitted,
    TurnNotFound,
    TurnNotLast,
)
from turns.domain.messages import Message
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn_request import OnBusy
from turns.edits.regeneration import Fork
from turns.store.turns import TurnStore


def seen(claim: Claim) -> list[str]:
    """Return the texts of the messages that a turn sees."""
    messages = [Message.from_stored(1, stored) for stored in claim.messages]
    return [message.content for message in messages if message]


def test_a_commit_replaces_the_last_pair(chat: Chat) -> None:
    chat.complete("one", "1")
    last = chat.complete("two", "2")
    claimed = chat.claim(chat.regenerate(last))
    assert seen(claimed) == ["one", "1"]
    assert chat.history() == ["one", "1", "two", "2"]
    for _ in range(2):  # as if the first reply had been lost
        chat.store.commit(claimed, answer_of(claimed, "zwei"), tail="")
    assert chat.history() == ["one", "1", "two", "zwei"]
    again, earlier = chat.store.get_turn(claimed.turn_id), chat.store.get_turn(last)
    assert (again.status, again.input, again.regenerates) == (Status.COMPLETED, "two", last)
    assert (earlier.superseded_by, earlier.output) == (again.id, "2")


def test_an_edit_asks_another_question(chat: Chat) -> None:
    chat.run(chat.regenerate(chat.complete("one"), input="two", metadata={"a": "b"}), "2")
    assert chat.history() == ["two", "2"]


def test_each_answer_can_be_regenerated_in_turn(chat: Chat) -> None:
    turn_id = chat.complete("one", "0")
    for n in range(1, 4):
        newer = chat.run(chat.regenerate(turn_id), str(n))
        with pytest.raises(TurnNotCommitted):
            chat.regenerate(turn_id)
        turn_id = newer
    assert chat.history() == ["one", "3"]


def test_a_turn_that_fails_leaves_the_earlier_answer(chat: Chat) -> None:
    last = chat.complete("one", "1")
    chat.store.fail(chat.claim(chat.regenerate(last)), Code.PROVIDER_QUOTA)
    chat.store.cancel(chat.regenerate(last).id)
    assert chat.history() == ["one", "1"]
    assert chat.store.get_turn(last).superseded_by is None
    assert chat.regenerate(last).regenerates == last


def test_only_the_last_committed_turn_is_regenerated(chat: Chat) -> None:
    earlier, last, live = chat.complete(), chat.complete(), chat.accept()
    with pytest.raises(TurnNotLast):
        chat.regenerate(earlier, fork=Fork.NEVER)
    with pytest.raises(TurnNotCommitted):
        chat.regenerate(live.id)
    with pytest.raises(TurnNotFound):
        chat.regenerate(last, tenant="other")
    with pytest.raises(SessionBusy):
        chat.regenerate(last, on_busy=OnBusy.REJECT)
    assert chat.store.read_health().live_turns == 1


def test_a_turn_fails_if_another_was_committed_before_it(chat: Chat, hints: Callable[[], list[str]]) -> None:
    last = chat.complete("one", "1")
    ahead, late, behind = chat.accept("two"), chat.regenerate(last), chat.accept()
    chat.run(ahead, "2")
    hints()
    assert chat.store.claim(late.id, worker="w") is None
    assert chat.status(late.id) == (Status.FAILED, Code.TURN_NOT_LAST)
    assert chat.history() == ["one", "1", "two", "2"]
    assert hints() == [behind.id]


def test_only_the_first_of_two_regenerations_replaces_a_turn(chat: Chat) -> None:
    last = chat.complete("one", "1")
    first, second = chat.regenerate(last), chat.regenerate(last)
    chat.run(first, "eins")
    assert chat.store.claim(second.id, worker="w") is None
    assert chat.status(second.id) == (Status.FAILED, Code.TURN_NOT_LAST)
    assert chat.history() == ["one", "eins"]


def test_a_commit_replaces_nothing_of_another_program(
    chat_with: Callable[..., Chat], store: TurnStore, server: Server
) -> None:
    chat = chat_with()
    claimed = chat.claim(chat.regenerate(chat.complete("one", "1")))
    server.raw.lpush(keys.HISTORY("s"), '{"type": "human", "data": {"content": "foreign"}}')
    for _ in range(2):
        with pytest.raises(LeaseLost):
            chat.store.commit(claimed, answer_of(claimed, "eins"), tail="")
    assert chat.status(claimed.turn_id) == (Status.FAILED, Code.TURN_NOT_LAST)
    assert chat.history() == ["one", "1", "foreign"]


def test_a_pair_that_another_program_changed_is_not_replaced(
    chat_with: Callable[..., Chat], store: TurnStore, server: Server
) -> None:
    chat = chat_with()
    last = chat.complete()
    server.raw.lset(keys.HISTORY("s"), 0, "foreign")
    with pytest.raises(TurnNotCommitted):
        chat.regenerate(last)


def test_a_repeated_request_is_the_same_turn(chat: Chat) -> None:
    last = chat.complete()
    turn = chat.regenerate(last, key="k")
    chat.run(turn)
    assert chat.regenerate(last, key="k").id == turn.id
    with pytest.raises(IdempotencyKeyReused):
        chat.regenerate(last, key="k", input="another question")


def test_all_messages_of_the_earlier_turn_are_replaced(chat: Chat) -> None:
    """A chain with tools commits messages between question and answer."""
    first = chat.claim(chat.accept("one"))
    chat.store.commit(first, with_tool(answer_of(first, "1"), first), tail="")
    claimed = chat.claim(chat.regenerate(first.turn_id))
    assert claimed.messages == ()
    before = chat.version
    chat.store.commit(claimed, answer_of(claimed, "eins"), tail="")
    assert chat.history() == ["one", "eins"]
    assert chat.version > before


def test_the_window_ends_before_the_replaced_messages(chat_with: Callable[..., Chat], store: TurnStore) -> None:
    chat = chat_with(history_window=2)
    for n in range(3):
        last = chat.complete(str(n), f"answer {n}")
    assert seen(chat.claim(chat.regenerate(last))) == ["1", "answer 1"]


@pytest.mark.parametrize(("text", "kept"), [("half", "half"), ("", "1")])
def test_an_interrupted_turn_replaces_only_with_a_text(chat: Chat, text: str, kept: str) -> None:
    claimed = chat.claim(chat.regenerate(chat.complete("one", "1")))
    chat.accept(on_busy=OnBusy.INTERRUPT)
    chat.store.interrupt(claimed, answer_of(claimed, text), tail="")
    assert chat.history() == ["one", kept]
    assert chat.status(claimed.turn_id) == (Status.INCOMPLETE, None)


def test_a_retry_of_a_failed_turn_regenerates_again(chat: Chat) -> None:
    last = chat.complete("one", "1")
    failed = chat.claim(chat.regenerate(last))
    chat.store.fail(failed, Code.PROVIDER_QUOTA)
    retried = chat.store.retry_failed(failed.turn_id, find=lambda _: failed.assistant).turn
    chat.run(retried, "eins")
    assert chat.history() == ["one", "eins"]
