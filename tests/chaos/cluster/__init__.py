"""Chaos runs on a Redis Cluster: primaries are killed and partitions are moved under load."""
