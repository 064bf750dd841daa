"""Coordination of the partitions of a Redis Cluster: they share holds of models, and slots of assistants.

One worker at a time coordinates, in short rounds: it reads the partitions, decides without I/O, and brings each of them
what it lacks. A partition acts by itself if no round reaches it. `turns.store` and everything above it may import this
package.
"""
