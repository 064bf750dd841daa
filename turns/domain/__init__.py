"""The pure core: values, the state table, retry decisions and errors, without I/O or imports from other packages.

Every package may import it.
"""
