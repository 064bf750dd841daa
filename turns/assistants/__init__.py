"""Configured assistants: their file's schema and loader, settings per assistant, and the registry.

Imports `turns.domain` and `turns.config`. Used by the web process, the worker and the supervisor.
"""
