"""Faults under load and an independent checker of the results. `make chaos` writes docs/explanation/chaos.md."""
