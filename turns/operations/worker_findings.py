"""The findings about workers and other processes: missing, silent, crashing, or of different versions."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from types import MappingProxyType

from turns.config import commands
from turns.domain.worker_kind import WorkerKind
from turns.operations.finding import Check, Finding, Level, ServiceFacts
from turns.operations.wording import count_of, format_duration
from turns.operations.workers import Worker
from turns.processes.record import ProcessState

CRASH_LOOP_SECONDS = 300
CRASH_LOOP_DEATHS = 3  # of one kind on one host within that time; a rolling restart ends workers without a death
KINDS = MappingProxyType(
    {
        WorkerKind.LOOP: ("no_worker", "worker for built-in chains", commands.WORKER),
        WorkerKind.CHAINS: ("no_chain_worker", "chain worker", commands.CHAIN_WORKER),
    }
)


def _workers_missing(facts: ServiceFacts) -> Iterator[Finding]:
    live = facts.health.live_turns
    if facts.health.live_workers:
        yield from _kind_missing(facts)
        return
    yield Finding(
        level=Level.BAD,
        code="no_worker",
        headline="Users are waiting: no worker is running." if live else "No worker is running.",
        detail=f"{count_of(live, 'accepted turn')} cannot continue."
        if live
        else "No turn is waiting yet; the next one will.",
        todo=f"Start one with `{commands.WORKER}`. If one has stopped, its log has the reason.",
    )


def _kind_missing(facts: ServiceFacts) -> Iterator[Finding]:
    """Yield a finding if turns wait for a kind of worker of which none is alive."""
    alive = {WorkerKind.CHAINS: facts.health.live_chain_workers}
    alive[WorkerKind.LOOP] = facts.health.live_workers - alive[WorkerKind.CHAINS]
    for kind, (code, name, command) in KINDS.items():
        waiting = facts.waiting_kinds.get(kind, 0)
        if waiting and not alive[kind]:
            headline = f"Users are waiting: no {name} is running."
            detail, todo = f"{count_of(waiting, 'turn')} cannot start.", f"Start one with `{command}`."
            yield Finding(level=Level.BAD, code=code, headline=headline, detail=detail, todo=todo)


def _workers_silent(facts: ServiceFacts) -> Iterator[Finding]:
    silent = [worker for worker in facts.workers if worker.state is ProcessState.SILENT]
    holding = [worker for worker in silent if worker.running]
    if not silent or not facts.health.live_workers:
        return
    described = [_describe_silence(worker) for worker in (holding or silent)[:3]]
    rest = len(holding or silent) - len(described)
    yield Finding(
        level=Level.BAD if holding else Level.WARN,
        code="worker_silent",
        headline="A worker is stuck: its turns stand still." if holding else "A worker has stopped unexpectedly.",
        detail="; ".join(described) + (f"; and {rest} more." if rest else "."),
        todo="Its log has the reason. Kill it if its process still exists; another worker takes its turns over.",
        to=MappingProxyType({"view": "workers"}),
    )


def _describe_silence(worker: Worker) -> str:
    holds = f", holds {count_of(len(worker.running), 'turn')}" if worker.running else ""
    return f"Worker {worker.name}: silent {format_duration(worker.silent_seconds)}{holds}"


def _workers_differ(facts: ServiceFacts) -> Iterator[Finding]:
    models = Counter(worker.model for worker in facts.workers if worker.is_alive and worker.model)
    if len(models) < 2:
        return
    described = "; ".join(f"{count_of(number, 'worker')}: {model}" for model, number in models.most_common())
    yield Finding(
        level=Level.WARN,
        code="workers_differ",
        headline="Workers have different default models.",
        detail=f"{described}.",
        todo="If these are two installations, give each its own INTURN_NAMESPACE or store. If you are changing "
        "the model, restart all workers.",
        to=MappingProxyType({"view": "workers"}),
    )


def _workers_crash(facts: ServiceFacts) -> Iterator[Finding]:
    """Report that workers of one kind die on a host again and again."""
    deaths = defaultdict(list)
    for worker in facts.workers:
        if worker.state is ProcessState.DEAD and _seconds_since_end(worker, facts) <= CRASH_LOOP_SECONDS:
            deaths[worker.process.host, worker.kind].append(worker)
    loops = {place: dead for place, dead in deaths.items() if len(dead) >= CRASH_LOOP_DEATHS}
    if not loops:
        return
    described = [_describe_deaths(host, kind, len(dead)) for (host, kind), dead in loops.items()]
    yield Finding(
        level=Level.BAD,
        code="workers_crash",
        headline="Workers die again and again.",
        detail=f"In the last 5 minutes: {'; '.join(described[:3])}.",
        todo="The last lines of their logs, or the kernel's log if they use too much memory, have the reason.",
        to=MappingProxyType({"view": "workers"}),
    )


def _describe_deaths(host: str, kind: WorkerKind, deaths: int) -> str:
    return f"{count_of(deaths, 'chain worker' if kind is WorkerKind.CHAINS else 'worker')} on {host or 'one host'}"


def _seconds_since_end(worker: Worker, facts: ServiceFacts) -> float:
    return facts.seconds_since(worker.process.ended_at or 0)


def _versions_differ(facts: ServiceFacts) -> Iterator[Finding]:
    workers = Counter(worker.process.version for worker in facts.workers if worker.is_alive)
    web = Counter(facts.web_versions)
    versions = sorted(workers.keys() | web.keys())
    if len(versions) < 2:
        return
    described = [_describe_version(version, workers[version], web[version]) for version in versions]
    yield Finding(
        level=Level.WARN,
        code="versions_differ",
        headline="Processes have different versions.",
        detail=f"{'; '.join(described)}.",
        todo="During an upgrade this is normal. Otherwise replace the older processes.",
        to=MappingProxyType({"view": "workers"}),
    )


def _describe_version(version: str, workers: int, web: int) -> str:
    parts = [count_of(workers, "worker")] * bool(workers) + [count_of(web, "endpoint")] * bool(web)
    return f"{version or 'an earlier release'}: {' and '.join(parts)}"


WORKER_CHECKS: Sequence[Check] = (_workers_missing, _workers_silent, _workers_crash, _workers_differ, _versions_differ)
