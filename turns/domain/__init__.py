"""The pure core: values, the state table, retry decisions and errors, without I/O.

It imports no other package of ours; every package may import it.
"""
