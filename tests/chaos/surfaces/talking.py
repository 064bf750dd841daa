"""What a client does in a run: conversations of which each text is one turn, and the answers that it showed."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

PATIENCE_SECONDS = 120
REPEAT_SECONDS = 0.3

T = TypeVar("T")
Answers = Mapping[str, str]  # by the text of the turn


@dataclass(frozen=True)
class Conversation:
    session: str
    texts: tuple[str, ...]


Client = Callable[[str, Sequence[Conversation]], Answers]  # with the URL of the service


def in_threads(talk: Callable[[str, Conversation], Answers]) -> Client:
    """Return a client that holds each conversation in a thread of its own."""

    def run(url: str, conversations: Sequence[Conversation]) -> Answers:
        with ThreadPoolExecutor(len(conversations)) as pool:
            shown = list(pool.map(lambda conversation: talk(url, conversation), conversations))
        return {text: answer for answers in shown for text, answer in answers.items()}

    return run


def repeat(call: Callable[[], T], *errors: type[Exception]) -> T:
    """Call until there is no error, as an application does when its client has given up."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except errors:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(REPEAT_SECONDS)
