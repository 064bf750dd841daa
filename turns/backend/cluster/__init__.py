"""The nodes of a Redis Cluster: which one serves a hash slot, a client for each, and the subscriptions over all.

It knows slots and nodes, but no key names: `turns.backend.partition` chooses the names, and thereby the slots. Used by
`turns.backend` alone.
"""
