"""Redis: the client, key names, Lua scripts and subscriptions. The only package that imports redis.

Imports `turns.domain` and `turns.config`. Used by `turns.store` and the packages above it; entry points only open a
client here.
"""
