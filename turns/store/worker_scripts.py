"""The Lua scripts of worker processes and of the turns that a dead one leaves, as typed methods, one for each verb."""

from collections.abc import Mapping, Sequence

from turns.backend.script_loader import WORKER_VERBS
from turns.backend.script_replies import Reply, StoreIdentity, to_outcomes
from turns.backend.script_runner import ScriptRunner, flatten
from turns.domain.worker_kind import kind_of


class WorkerScripts(ScriptRunner):
    verbs = WORKER_VERBS

    def register_worker(self, worker: str, *, model: str, again: bool) -> set[str]:
        """Return the default models of other workers that differ from `model`."""
        _, *models = self._run("register_worker", worker, model, int(again))
        return {other.decode() for other in models}

    def find_vanished(self, worker: str) -> tuple[int, frozenset[str]]:
        """Return the number of registered workers, and those whose subscription has ended."""
        _, count, *vanished = self._run("find_vanished", worker)
        return count, frozenset(name.decode() for name in vanished)

    def remove_vanished(self, worker: str) -> Reply:
        """Return LOST, CONNECTED or GONE."""
        return self._outcome("remove_vanished", worker)

    def remove_worker(self, worker: str) -> None:
        """Remove a worker that leaves."""
        self._outcome("remove_worker", worker, kind_of(worker))

    def rescue_worker(self, worker: str, turn_ids: Sequence[str], *, is_forced: bool) -> list[tuple[str, Reply]]:
        """Return the turn ids with RESCUED, LOST or GONE. `is_forced`: also if the worker has its subscription."""
        return to_outcomes(self._all("rescue_worker", worker, int(is_forced), *turn_ids))

    def repair_sessions(self, sessions: Sequence[str]) -> list[tuple[str, Reply]]:
        """Return the sessions that were not in order, each with RESTORED, LOST or BROKEN."""
        return to_outcomes(self._all("repair_sessions", *sessions))

    def report_process(
        self, process: str, *, kind: str, proposed_id: str, needs_keys: bool, fields: Mapping[str, str]
    ) -> StoreIdentity:
        """Record a process with these fields; return which store this is."""
        reply = self._run("report_process", process, kind, proposed_id, int(needs_keys), *flatten(fields))
        _, store_id, since, locked = reply
        return StoreIdentity(id=store_id.decode(), since=int(since), needs_keys=locked == b"1")
