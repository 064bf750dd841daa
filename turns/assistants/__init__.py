"""Assistants as configured: the schema and loader of their file, settings per assistant, and a reloading registry.

Imports `turns.domain` and `turns.config`. Used by the web process, the worker and the supervisor.
"""
