"""Pauses by operators: the parts of the service whose turns wait, each with author, reason and end.

`turns.store` and everything above it may import this package.
"""
