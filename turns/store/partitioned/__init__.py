"""The stores of turns and sessions over the partitions of a Redis Cluster.

Each verb is done by the store of the partition in which its turn or session is; what concerns all partitions is done in
each of them, and lists are merged. Used by `turns.file_history`, which opens the stores.
"""
