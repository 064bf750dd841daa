"""The reasons for which a turn waits, as the operator page, the API and the metrics name them."""

from enum import StrEnum


class Reason(StrEnum):
    WORKERS_PAUSED = "workers_paused"
    PAUSED = "paused"  # an operator has paused its tenant, assistant, lane, provider or model
    NO_WORKER = "no_worker"
    MODEL_PAUSED = "model_paused"  # its provider limits the rate
    MODEL_OUTAGE = "model_outage"
    RETRY = "retry"
    WORKER_LOST = "worker_lost"
    PARKED = "parked"
    WORKERS_BUSY = "workers_busy"
    RUNNING = "running"  # the first turn of its session runs


SILENT = "silent"  # in the history of a turn only: its run had begun the answer, and sent no text for a while
