"""What a worker does besides running turns: loops and threads that start and stop with it."""

import os
import signal
from collections.abc import Iterator

from turns.assistants.registry import POLL_SECONDS
from turns.backend.address import parse_store_url
from turns.backend.partition.unpatched_leases import PartitionedLeaseClient
from turns.backend.unpatched import UnpatchedLeaseClient
from turns.config.settings import Pool, Settings
from turns.coordination.coordinator import Coordinator
from turns.file_history.turn_store import FileHistoryTurnStore
from turns.usage.store import FOLD_SECONDS, UsageStore
from worker.lifecycle import Startable
from worker.run.active_runs import ActiveRuns
from worker.run.crowd_watch import CrowdWatch
from worker.run.interrupt import call_in_loop
from worker.run.lease_thread import LeaseRenewalThread
from worker.run.output.event_buffer import FLUSH_SECONDS
from worker.run.periodic import Loop
from worker.run.rescuer import Rescuer
from worker.run.silence_watch import SilenceWatch
from worker.run.watchdog import StalledProcess, Watchdog
from worker.run.worker_watch import WorkerWatch
from worker.services import WorkerServices

ROUND_GAP_SECONDS = 0.1  # between two rounds of coordination, also while the home partition is away
CROWD_SECONDS = 5.0  # interval of the check for blocked threads
DEADLINE_SECONDS = 0.25  # interval of the check for late models
SILENCE_SECONDS = 2.0  # interval of the check for models that stop in the middle of an answer
TIDY_SECONDS = 3600.0
SWEEP_SECONDS = 60.0  # interval at which each worker deletes files to which nothing refers
REPAIR_SECONDS = 20.0  # interval at which a worker offers to repair; one in the whole installation does, once a minute


def build_loops(services: WorkerServices, *, hint: str) -> Iterator[Startable]:
    """Yield the loops in the order in which they start; `hint` is the message of a hint."""
    yield from _process_loops(services)
    yield from _run_loops(services)
    yield from _store_loops(services, hint)
    if services.hint_readers:
        yield services.hint_readers
        news = services.store.hold_news  # of the store in which the runs fail
        coordinator = Coordinator(services.renewal_client, services.settings, news, worker=services.worker)
        yield Loop("coordination", coordinator.step, every_seconds=ROUND_GAP_SECONDS)


def _process_loops(services: WorkerServices) -> Iterator[Startable]:
    settings = services.settings
    yield services.slow_start
    yield services.reporter
    yield services.subscriptions
    yield watchdog(services.active_runs, settings)
    yield Loop("crowd", CrowdWatch(settings.concurrency, end_process).check, every_seconds=CROWD_SECONDS)
    # A turn brings its version of the assistant. This loop only logs what is wrong with the file.
    yield Loop("assistants", services.registry.reload_if_changed, every_seconds=POLL_SECONDS)


def _run_loops(services: WorkerServices) -> Iterator[Startable]:
    active_runs = services.active_runs
    silence = SilenceWatch(active_runs, services.store)
    yield _lease_renewal(active_runs, services.settings)
    yield Loop("flush", services.emitter.flush, every_seconds=FLUSH_SECONDS)
    yield Loop("deadlines", active_runs.stop_late_runs, every_seconds=DEADLINE_SECONDS)
    yield Loop("silence", silence.check, every_seconds=SILENCE_SECONDS)


def _store_loops(services: WorkerServices, hint: str) -> Iterator[Startable]:
    settings, store, worker = services.settings, services.store, services.worker
    rescuer = Rescuer(services.shared_store, worker=worker, hint=hint, slots=settings.concurrency, drain=end_process)
    yield Loop("rescue", rescuer.rescue, every_seconds=settings.rescue_seconds)
    yield Loop("repair", rescuer.repair, every_seconds=REPAIR_SECONDS)
    yield Loop("usage", UsageStore(services.client, settings).fold, every_seconds=FOLD_SECONDS)
    yield Loop("files", services.files.sweep, every_seconds=min(SWEEP_SECONDS, settings.file_ttl_seconds / 4))
    yield WorkerWatch(
        store,
        worker,
        model=settings.model_description,
        connections=lambda: services.subscriptions.connections(worker),
    )
    if isinstance(store, FileHistoryTurnStore):
        yield Loop("tidy", store.tidy, every_seconds=TIDY_SECONDS)


def end_process() -> None:
    """Send this process SIGTERM, as a supervisor would: Celery finishes its tasks and ends."""
    os.kill(os.getpid(), signal.SIGTERM)


def watchdog(active_runs: ActiveRuns, settings: Settings) -> Startable:
    """Return the thread that ends the process when its gevent loop stands still."""
    store = _lease_client(settings) if _can_use_unpatched(settings) else None
    return Watchdog(
        stall_seconds=settings.stall_seconds,
        call_in_loop=call_in_loop(settings.pool),
        end=StalledProcess(active_runs, store).end,
        beat_file=settings.beat_file,
    )


def _lease_renewal(active_runs: ActiveRuns, settings: Settings) -> Startable:
    """Return a real thread if it can reach the store, else a loop."""
    if _can_use_unpatched(settings):
        return LeaseRenewalThread(active_runs, _lease_client(settings), every_seconds=settings.renew_seconds)
    return Loop("renew", active_runs.renew, every_seconds=settings.renew_seconds)


def _can_use_unpatched(settings: Settings) -> bool:
    """Return whether a real thread can reach the store: not with TLS, because gevent has patched `ssl` too."""
    options = parse_store_url(settings.store_url).options
    return settings.pool is Pool.GEVENT and ("connection_class" not in options or "path" in options)


def _lease_client(settings: Settings) -> UnpatchedLeaseClient | PartitionedLeaseClient:
    """Return the client of a real thread."""
    return PartitionedLeaseClient(settings) if settings.partitions else UnpatchedLeaseClient(settings)
