"""The comparison of a sent past with the history of a session."""

from typing import Any

import pytest

from turns.domain.content.parts import Part, PartType
from turns.domain.messages import Message
from web.surfaces.openai.chat.branches import Decision, History, Live, Step, branch_seed, decide
from web.surfaces.openai.chat.messages import Content

# Each word is a message: questions and answers alternate.
APPEND, BEGIN = Decision(Step.APPEND), Decision(Step.BEGIN)


def committed(words: str, **more: Any) -> list[Message]:
    return [
        Message(
            number=n + 1,
            role=("user", "assistant")[n % 2],
            content=word,
            turn_id=f"turn {n // 2}",
            **(more if n == len(words.split()) - 1 else {}),
        )
        for n, word in enumerate(words.split())
    ]


def history(words: str = "", *, live: str = "", is_whole: bool = True, **more: Any) -> History:
    running = [Live(f"live {n}", text) for n, text in enumerate(live.split())]
    return History(committed(words, **more), running, is_whole)


def sent(words: str) -> list[Content]:
    roles = ("user", "assistant")
    return [Content(f"messages.{n}", roles[n % 2], word) for n, word in enumerate(words.split())]


def after(past: str, question: str, given: History) -> Decision:
    return decide(given, sent(past), Content("", "user", question))


def branch(shared: int) -> Decision:
    return Decision(Step.BRANCH, shared=shared)


@pytest.mark.parametrize(
    ("given", "past", "question", "decision"),
    [
        (history(), "", "q", APPEND),
        (history(), "q a", "r", BEGIN),
        (history("q a"), "q a", "r", APPEND),
        (history("q a r b"), "q a", "r", Decision(Step.REGENERATE, turn_id="turn 1")),
        (history("q a r b"), "q a", "other", Decision(Step.REGENERATE, turn_id="turn 1")),
        (history("q a"), "", "q", Decision(Step.REGENERATE, turn_id="turn 0")),
        (history("q a r b"), "", "q", branch(1)),
        (history("q a r b"), "q other", "r", branch(1)),
        (history("q a r b"), "other a", "r", branch(1)),
        (history("q a r b"), "q a r other", "s", branch(3)),
        (history("q a"), "q a r b", "s", branch(3)),
        (history("q a", is_whole=False), "q a", "r", branch(3)),
    ],
)
def test_a_past_continues_replaces_or_leaves_the_history(
    given: History, past: str, question: str, decision: Decision
) -> None:
    assert after(past, question, given) == decision


def test_a_question_waits_behind_live_turns_that_its_reader_sees() -> None:
    running = Content("", "user", "r")
    given = history("q a", live="r")
    assert decide(given, [*sent("q a"), running], Content("", "user", "s")) == APPEND
    assert decide(given, sent("q a"), running) == Decision(Step.JOIN, turn_id="live 0")
    assert decide(given, sent("q a"), Content("", "user", "s")) == branch(3)
    assert after("", "r", history(live="r")) == Decision(Step.JOIN, turn_id="live 0")


def test_of_a_stopped_answer_a_reader_may_have_seen_less() -> None:
    stopped = history("q answer", is_incomplete=True)
    assert after("q ans", "r", stopped) == after("q answers", "r", stopped) == APPEND
    assert after("q ans", "r", history("q answer")) == branch(1)


def test_only_the_text_of_a_message_with_images_is_compared() -> None:
    parts = (Part(type=PartType.TEXT, text="see"), Part(type=PartType.IMAGE, file_id="f"))
    with_image = Message(number=1, role="user", content="see\n[image]", turn_id="turn 0", parts=parts)
    answer = Message(number=2, role="assistant", content="a", turn_id="turn 0")
    assert after("see a", "r", History([with_image, answer])) == APPEND


def test_an_imported_pair_is_not_regenerated() -> None:
    imported = [Message(number=n, role=r, content=r, turn_id=None) for n, r in enumerate(("user", "assistant"), 1)]
    assert decide(History(imported), [], Content("", "user", "user")) == branch(1)


def test_a_branch_is_named_after_what_leads_to_it() -> None:
    seeds = {branch_seed("s", sent(words)) for words in ("q", "q a", "qa", "r")} | {branch_seed("t", sent("q"))}
    assert len(seeds) == 5
    assert branch_seed("s", sent("q a")) == branch_seed("s", sent("q a"))
