"""Assistants as configured: the file's schema, its loader, per-assistant settings, and the registry that reloads it.

Imports `turns.domain` and `turns.config`. Used by the web process, the worker and the supervisor.
"""
