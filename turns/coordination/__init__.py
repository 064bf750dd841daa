"""Coordination of the partitions of a Redis Cluster: what one of them has found out about a model, the others learn.

One worker at a time coordinates, in short rounds: it reads the partitions, decides without I/O, and brings each of them
what it lacks. A partition acts by itself if no round reaches it. `turns.store` and everything above it may import this
package.
"""
