"""Settings from the environment, logging and tracing: how a process is configured.

Imports only `turns.domain`. Entry points build the settings and pass them down; every package may import this one.
"""
