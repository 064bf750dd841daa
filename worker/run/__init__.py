"""One turn from claim to commit: execution, leases, the event buffer, interruption and rescue.

Imported by `worker.services`, `worker.loops`, `worker.lifecycle` and `worker.tasks`.
"""
