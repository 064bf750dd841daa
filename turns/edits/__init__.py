"""Changes of what a session has committed: an answer or a question is replaced.

Imports `turns.store` and what is below it. The scripts that make the changes are in `turns.backend`.
"""
