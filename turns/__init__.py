"""Turns, their life, and the store that keeps them: the part that every process shares.

Knows neither Flask, nor Celery, nor LangChain. Its packages build on each other in this order: `domain`, `config`,
`assistants` and `backend`, `store`, `file_history`, `operations`.
"""
