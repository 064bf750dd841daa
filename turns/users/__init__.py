"""The erasure and the export of what a user has: sessions, turns, results, and the name in the sums of usage.

`UserErasures` is the door. The web process and the command line may import it.
"""
