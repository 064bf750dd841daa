"""The partitions of a Redis Cluster: their hash tags, the one of a session or a turn, and names and scripts in one.

All keys of a partition share one hash slot, so that a script can use them together. Imports the plain client and the
plain scripts of `turns.backend`, which know no partitions. Used by `turns.backend` and `turns.store`.
"""
