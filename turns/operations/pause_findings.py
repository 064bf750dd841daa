"""The findings about pauses by operators."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from turns.operations.finding import Finding, Level, ServiceFacts
from turns.operations.wording import are, format_duration
from turns.pauses.part import PauseKind
from turns.pauses.pause import Pause

MAX_DESCRIBED = 3
HEADLINES = MappingProxyType({PauseKind.WORKERS: "The workers are paused.", PauseKind.INTAKE: "New turns are refused."})


def find_pauses(facts: ServiceFacts) -> Iterator[Finding]:
    """Yield a finding for each pause of the whole service, one for those of parts, and one for forgotten ones."""
    pauses = [pause for pause in facts.pauses if not pause.is_over]
    for kind, headline in HEADLINES.items():
        of_kind = [pause for pause in pauses if pause.part.kind is kind]
        yield from _finding(of_kind, facts, code=f"{kind}_paused", headline=headline)
    of_parts = [pause for pause in pauses if pause.part.kind.is_named]
    yield from _finding(of_parts, facts, code="parts_paused", headline="A part of the service is paused.")
    forgotten = [pause for pause in pauses if pause.is_forgotten(now_ms=facts.now)]
    yield from _finding(
        forgotten,
        facts,
        code="pause_forgotten",
        headline="A pause has probably been forgotten.",
        todo="Resume it on /operator, or pause it again with an end.",
    )


def _finding(
    pauses: Sequence[Pause], facts: ServiceFacts, *, code: str, headline: str, todo: str = ""
) -> Iterator[Finding]:
    if not pauses:
        return
    described = [_describe(pause, facts) for pause in pauses[:MAX_DESCRIBED]]
    rest = f" And {len(pauses) - MAX_DESCRIBED} more." if len(pauses) > MAX_DESCRIBED else ""
    stops_all = code == "workers_paused" and facts.waiting_for_worker > 0
    yield Finding(
        level=Level.BAD if stops_all else Level.WARN,
        code=code,
        headline=headline,
        detail=" ".join(described) + rest,
        todo=todo,
    )


def _describe(pause: Pause, facts: ServiceFacts) -> str:
    """Return a sentence with the pause, its author, duration and reason."""
    kind, label = pause.part.kind, pause.part.label
    author = f" by {pause.by}" if pause.by else ""
    verb, age = "have" if kind is PauseKind.WORKERS else "has", format_duration(facts.seconds_since(pause.since))
    clauses = [f"{label[0].upper()}{label[1:]} {verb} been paused{author} for {age}"]
    if kind is not PauseKind.INTAKE:
        waiting = facts.waiting_for_worker if kind is PauseKind.WORKERS else pause.waiting_turns
        clauses.append(f"{are(waiting, 'turn')} waiting")
    clauses.append(
        f"it ends in {format_duration(facts.seconds_until(pause.until))}" if pause.until else "no end is set"
    )
    return "; ".join(clauses) + (f" ({pause.reason.rstrip('.')})." if pause.reason else ".")
