"""Clients of other services, unmodified, in front of the queue."""
