"""Access to the service: API keys, and the audit log of what operators did with them.

Imports `turns.backend` and what is below it. Used by the web process, `python -m turns` and the supervisor.
"""
