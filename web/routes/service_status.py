"""The main numbers of the service."""

from turns.operations.queries import OperatorQueries
from web.schemas.service import ServiceStatus


def service_status(queries: OperatorQueries) -> ServiceStatus:
    gauges = queries.read_gauges()
    return ServiceStatus(
        paused={str(pause.part): pause.since for pause in queries.read_pauses() if not pause.is_over},
        holds=queries.read_holds(),
        live_turns=int(gauges["live_turns"]),
        waiting_turns=int(gauges["waiting_turns"]),
        oldest_waiting_seconds=gauges["oldest_waiting_seconds"],
        live_workers=int(gauges["live_workers"]),
        failed_turns=int(gauges["failed_turns"]),
    )
