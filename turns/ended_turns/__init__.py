"""The feed of a tenant's ended turns, for programs that would otherwise ask for each of hundreds of turns.

It reads the index by which records expire, so nothing is stored for it. `EndedTurns` is the door. Used by the web
process.
"""
