"""How the service does, in a few numbers."""

from turns.operating import Operations
from turns.overview import Overview
from web import schema, showing


def service_status(operations: Operations, overview: Overview) -> schema.ServiceStatus:
    gauges = overview.gauges()
    return schema.ServiceStatus(
        paused={switch: showing.to_instant(since) for switch, since in operations.paused().items()},
        live_turns=int(gauges["live_turns"]),
        waiting_turns=int(gauges["waiting_turns"]),
        oldest_waiting_seconds=gauges["oldest_waiting_seconds"],
        live_workers=int(gauges["live_workers"]),
        failed_turns=int(gauges["failed_turns"]),
    )
