"""Record for operators that a run sends no text in the middle of its answer."""

from turns.store.turns import TurnStore
from worker.run.active_runs import ActiveRuns

SILENT_SECONDS = 5.0  # the usual pauses of a provider are shorter, so that almost no turn is written to


class SilenceWatch:
    """Writes to the store only when a run falls silent, and when it sends text again."""

    def __init__(self, active_runs: ActiveRuns, store: TurnStore) -> None:
        self._active_runs = active_runs
        self._store = store
        self._silent: set[str] = set()  # tokens of the runs that the store has as silent

    def check(self) -> None:
        """Record the runs that have fallen silent or sent text since the last check."""
        runs = self._active_runs.find_quiet_seconds()
        self._silent.intersection_update([claim.token for claim, _ in runs])
        for claim, seconds in runs:
            is_silent = seconds >= SILENT_SECONDS
            if is_silent != (claim.token in self._silent):
                self._store.record_silence(claim, is_silent=is_silent, since_seconds=seconds)
                self._silent ^= {claim.token}
