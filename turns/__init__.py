"""The domain of InTurn: turns, their life, and the store that keeps them.

Shared by every process; knows neither Flask, nor Celery, nor LangChain.
"""
