"""Turns, their life cycle and the store that keeps them: the part that every process shares.

Imports neither Flask, Celery nor LangChain. Its packages build on each other in the layers that
`docs/explanation/architecture.md` lists.
"""
