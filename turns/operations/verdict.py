"""The verdict on the service: the findings in words, most severe first, and what to do about each.

The operator page, its JSON and `make doctor` show the same findings. All functions are pure; `facts.py` reads the
facts.
"""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from turns.backend.partition.tags import HOME
from turns.config import commands
from turns.domain.run.retry import HoldReason
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.operations.finding import Check, Finding, Level, ServiceFacts
from turns.operations.pause_findings import find_pauses
from turns.operations.wording import are, count_of, format_duration, were
from turns.operations.worker_findings import WORKER_CHECKS
from turns.store.health import FULL_SHARE, NEARLY_FULL_SHARE

SLOW_SECONDS = 1  # a delay that users notice
LATE_SECONDS = 5  # deploy/keda.yaml adds workers at this wait
SLOW_FIRST_TOKEN_SECONDS = 10  # as in deploy/alerts.yml
HIGH_ERROR_SHARE = 0.05  # as in deploy/alerts.yml
SEVERE_ERROR_SHARE = 0.5
UNANSWERED_SECONDS = 60  # a user does not wait longer for the first word, whatever the reason is
STALLED_SECONDS = 90  # as in deploy/alerts.yml
FAILING_SECONDS = 60


def evaluate(facts: ServiceFacts) -> list[Finding]:
    """Return the findings, most severe first; at least one."""
    findings = [finding for check in CHECKS for finding in check(facts)]
    return sorted(findings, key=lambda finding: list(Level).index(finding.level)) or [_all_good(facts)]


def _store(facts: ServiceFacts) -> Iterator[Finding]:
    health, todo = facts.health, f"Run `{commands.DOCTOR}`, which prints a fix."
    if health.refusal:
        affected, refusing = (
            ("Not all turns", "a part of the store") if health.refuses_partly else ("No turn", "the store")
        )
        headline = f"{affected} can be submitted: {refusing} refuses writes."
        detail = f"Its reason: {health.refusal.rstrip('.')}."
        yield Finding(level=Level.BAD, code="store_refuses", headline=headline, detail=detail, todo=todo)
    if not health.is_safe:
        policy = f"Its maxmemory-policy is {health.memory.eviction_policy}."
        affected, deleting = (
            ("Not all turns", "a part of the store") if health.is_partly_safe else ("No turn", "the store")
        )
        effect = "Turns may be lost" if health.allows_unsafe else f"{affected} can be submitted"
        headline = f"{effect}: {deleting} may delete turns."
        level = Level.WARN if health.allows_unsafe else Level.BAD
        yield Finding(level=level, code="store_unsafe", headline=headline, detail=policy, todo=todo)
    if health.partitions_away:
        yield Finding(
            level=Level.BAD,
            code="store_partly_away",
            headline="A part of the store cannot be reached.",
            detail=f"Partitions that do not answer: {health.partitions_away}. Their sessions get status 503, others "
            "are served. Lists and numbers are without them.",
            todo="`redis-cli --cluster check` names the node that is away: start it, or let a replica take its place. "
            "If a slot is half moved: `redis-cli --cluster fix`.",
        )
    yield from _memory(facts)


def _store_replaced(facts: ServiceFacts) -> Iterator[Finding]:
    if not facts.replaced_at:
        return
    since = format_duration(facts.seconds_since(max(facts.replaced_at.values())))
    headline, detail = (
        "The store is another one, or was emptied.",
        f"It changed {since} ago. Turns, histories and API keys of the store before are not in it.",
    )
    if HOME not in facts.replaced_at:
        headline = "A part of the store is another one, or was emptied."
        numbers = ", ".join(map(str, sorted(facts.replaced_at)))
        detail = f"Partitions that changed, at last {since} ago: {numbers}. Their turns and histories are gone."
    yield Finding(
        level=Level.BAD,
        code="store_replaced",
        headline=headline,
        detail=detail,
        todo="Check REDIS_URL and the store's disk, and restore a backup. If it was intended, restart the endpoint.",
    )


def _memory(facts: ServiceFacts) -> Iterator[Finding]:
    memory = facts.health.memory
    if memory.share < NEARLY_FULL_SHARE:
        return
    is_full = memory.share >= FULL_SHARE
    yield Finding(
        level=Level.BAD if is_full else Level.WARN,
        code="store_full" if is_full else "store_nearly_full",
        headline="The store is full." if is_full else "The store is nearly full.",
        detail=f"{min(memory.share, 1):.0%} of {memory.limit_bytes / 1e6:,.0f} MB used; a full store refuses turns.",
        todo="Raise maxmemory, delete sessions, or shorten INTURN_SESSION_TTL_SECONDS.",
    )


def _holds(facts: ServiceFacts) -> Iterator[Finding]:
    for hold in facts.holds:
        is_limited = hold.reason is HoldReason.RATE_LIMITED
        what = "is paused by its provider" if is_limited else f"does not answer ({hold.code})"
        if hold.is_reopening:
            what = "answers again, and its turns start one after another"
        age = format_duration(facts.seconds_since(hold.since))
        yield Finding(
            level=Level.BAD if hold.held_turns else Level.WARN,
            code="model_paused" if is_limited else "model_outage",
            headline="Users are waiting for a model." if hold.held_turns else "A model takes no turns.",
            detail=f"{hold.model} {what} (for {age}); {are(hold.held_turns, 'turn')} waiting.",
            todo="The turns start by themselves when the model answers, or at once with "
            f"“Resume {hold.model} now” on /operator.",
        )


def _failing_models(facts: ServiceFacts) -> Iterator[Finding]:
    for failing in facts.failing:
        seconds = facts.seconds_since(failing.since)
        yield Finding(
            level=Level.BAD if seconds >= FAILING_SECONDS else Level.WARN,
            code="model_failing",
            headline="Every turn of a model fails.",
            detail=f"For {format_duration(seconds)} every turn of {failing.model} has failed: {failing.code} "
            f"({count_of(failing.attempts, 'attempt')}).",
            todo="See which turns failed, and what to do.",
            to=MappingProxyType({"view": "failed"}),
        )


def _stalled(facts: ServiceFacts) -> Iterator[Finding]:
    idle = facts.completed_seconds
    if facts.oldest_unanswered_seconds < STALLED_SECONDS or (idle is not None and idle < STALLED_SECONDS):
        return
    ever = "No turn has ever completed" if idle is None else f"No turn has completed for {format_duration(idle)}"
    yield Finding(
        level=Level.BAD,
        code="nothing_completes",
        headline="Nothing completes.",
        detail=f"{ever}, and {are(facts.health.live_turns, 'turn')} live: {_reasons(facts)}.",
        to=MappingProxyType({"view": "live"}),
        todo="See the oldest turns, and why they wait.",
    )


def _waiting(facts: ServiceFacts) -> Iterator[Finding]:
    """Report turns that wait for a worker; other reasons have their own findings, or the one for any reason."""
    oldest, waiting = facts.oldest_waiting_seconds, facts.held.get(Reason.WORKERS_BUSY, 0)
    if facts.are_workers_paused or not facts.health.live_workers or oldest < SLOW_SECONDS or not waiting:
        return
    is_late = oldest >= LATE_SECONDS
    yield Finding(
        level=Level.BAD if is_late else Level.WARN,
        code="workers_busy",
        headline="Users are waiting.",
        detail=f"{are(waiting, 'turn')} waiting for a worker; the longest wait is {format_duration(oldest)}.",
        todo="See what is running, or start more workers." if is_late else "",
        to=MappingProxyType({"view": "live", "status": "in_progress"}),
    )


def _shares(facts: ServiceFacts) -> Iterator[Finding]:
    """Report turns that wait because their model or tenant uses its share of the workers."""
    groups = [group for group in facts.crowded if group.is_sharing]
    if not groups or not facts.health.live_workers:
        return
    described = [
        f"{group.label} uses {group.slots} slots, and {are(group.waiting, 'turn')} waiting" for group in groups
    ]
    rest = f"; and {len(groups) - 3} more" if len(groups) > 3 else ""
    yield Finding(
        level=Level.WARN,
        code="share_used",
        headline="Some turns wait so that others can start.",
        detail=f"{'; '.join(described[:3])}{rest}.",
        todo="See which turns run, and how long. If they are healthy, start more workers.",
        to=MappingProxyType({"view": "live", "status": "in_progress"}),
    )


def _waiting_whatever_for(facts: ServiceFacts) -> Iterator[Finding]:
    if facts.oldest_unanswered_seconds < UNANSWERED_SECONDS or list(_stalled(facts)) or list(_waiting(facts)):
        return
    oldest = format_duration(facts.oldest_unanswered_seconds)
    yield Finding(
        level=Level.BAD,
        code="users_wait",
        headline="Users have waited long for an answer.",
        detail=f"The oldest turn without an answer has waited {oldest}: {_reasons(facts)}.",
        todo="See the oldest turns, and why they wait.",
        to=MappingProxyType({"view": "live"}),
    )


def _past_wait(facts: ServiceFacts) -> Iterator[Finding]:
    """Report a burst that is over. Turns that are waiting now have their own finding."""
    p95 = facts.recent.wait_p95_seconds
    if p95 is None or p95 < LATE_SECONDS or facts.oldest_waiting_seconds >= SLOW_SECONDS:
        return
    detail = f"In the last 5 minutes, one turn in twenty waited more than {format_duration(p95)} for a worker."
    yield Finding(level=Level.WARN, code="users_waited", headline="Users had to wait.", detail=detail)


def _failures(facts: ServiceFacts) -> Iterator[Finding]:
    recent, ended = facts.recent, facts.recent.ended
    failed, share = ended[Status.FAILED] + recent.expired, recent.error_share
    if share is None or share <= HIGH_ERROR_SHARE:
        return
    is_severe = share >= SEVERE_ERROR_SHARE
    expired = f" ({recent.expired} of them were not started in time)" if recent.expired else ""
    yield Finding(
        level=Level.BAD if is_severe else Level.WARN,
        code="turns_fail",
        headline="Most turns are failing." if is_severe else "Turns are failing.",
        detail=f"{share:.0%} failed in the last 5 minutes: {failed} of {failed + ended[Status.COMPLETED]}{expired}.",
        todo="See which turns failed, and what to do.",
        to=MappingProxyType({"view": "failed"}),
    )


def _refusals(facts: ServiceFacts) -> Iterator[Finding]:
    """Report refusals that are not the caller's fault; limits of a tenant are."""
    refused = {code: number for code, number in facts.recent.refused.items() if code in SERVICE_REFUSALS}
    if not refused:
        return
    codes = ", ".join(f"{code} {number}" for code, number in sorted(refused.items(), key=lambda item: -item[1]))
    detail = f"{were(sum(refused.values()), 'submitted turn')} refused in the last 5 minutes: {codes}."
    yield Finding(level=Level.WARN, code="turns_refused", headline="Turns are refused.", detail=detail)


def _poison(facts: ServiceFacts) -> Iterator[Finding]:
    lost = facts.lost_turns
    if lost:
        them = "it" if lost == 1 else "them"
        detail = f"{count_of(lost, 'turn')} failed because too many workers died while they ran {them}."
        yield Finding(
            level=Level.WARN,
            code="turns_end_workers",
            headline="Turns end their workers.",
            detail=detail,
            todo="See what they have in common before you retry them.",
            to=MappingProxyType({"view": "failed", "code": "worker_lost"}),
        )


def _slow_model(facts: ServiceFacts) -> Iterator[Finding]:
    p95, longest = facts.recent.first_token_p95_seconds or 0, facts.first_token_wait_seconds
    if max(p95, longest) <= SLOW_FIRST_TOKEN_SECONDS:
        return
    if longest > SLOW_FIRST_TOKEN_SECONDS:
        detail = f"A running turn has waited {format_duration(longest)} for the provider's first token."
    else:
        detail = f"One turn in twenty waits more than {format_duration(p95)} for the provider's first token."
    yield Finding(level=Level.WARN, code="model_slow", headline="The model is slow.", detail=detail)


SERVICE_REFUSALS = frozenset({"overloaded", "store_unavailable", "store_unsafe"})
CHECKS: Sequence[Check] = (
    *(_store, _store_replaced, *WORKER_CHECKS, find_pauses, _holds, _failing_models, _stalled, _waiting),
    *(_shares, _waiting_whatever_for, _failures, _refusals, _past_wait, _poison, _slow_model),
)


def _all_good(facts: ServiceFacts) -> Finding:
    running, p95 = facts.running_turns, facts.recent.wait_p95_seconds
    detail = f"No turn waits for a worker; {are(running, 'turn')} running."
    if not facts.health.live_turns:
        detail = "No turn is waiting."
    if p95 is not None:
        detail += f" 95% of turns started within {format_duration(p95)}."
    return Finding(level=Level.GOOD, code="all_good", headline="All good.", detail=detail)


def _reasons(facts: ServiceFacts) -> str:
    """Return the reasons why turns wait, most frequent first."""
    found = sorted(((number, reason) for reason, number in facts.held.items() if number), reverse=True)
    running = [f"{facts.running_turns} running"] if facts.running_turns else []
    return ", ".join([*(f"{number:,} {reason}" for number, reason in found), *running]) or "no reason is known"
