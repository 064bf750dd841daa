"""The store: turns, sessions, health and metrics, as typed methods over the scripts.

Imports `turns.backend` and what is below it. Used by the web process, the worker and the supervisor.
"""
