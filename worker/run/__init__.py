"""One turn from claim to commit: execution, leases, the event buffer, interruption and rescue.

Imported by `worker.app`, `worker.lifecycle` and `worker.tasks`.
"""
