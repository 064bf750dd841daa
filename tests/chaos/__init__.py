"""Faults under load, and an independent judge of what came of it. `make chaos` prints the table in docs/chaos.md."""
