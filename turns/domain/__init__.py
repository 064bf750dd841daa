"""The pure core: values, the state table, retry decisions, errors. It does no I/O and imports nothing else of ours.

Every package may import it.
"""
