"""Turns, their life cycle and the store that keeps them: the part that every process shares.

Imports neither Flask, Celery nor LangChain. Its packages build on each other in this order: `domain`, `config`,
`assistants` and `backend`, `store`, `file_history`, `operations`.
"""
