"""Changes of what a session has committed: regenerate, edit, fork and delete.

Imports `turns.store` and what is below it. Used by the web process.
"""
