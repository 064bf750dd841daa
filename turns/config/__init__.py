"""Configuration of a process: settings from the environment, logging and tracing.

Imports only `turns.domain`. Entry points read the settings and pass them down. Every package may import this one.
"""
