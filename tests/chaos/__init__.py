"""Faults under load and an independent checker of the results; `make chaos` writes the table in docs/chaos.md."""
