"""The Celery worker: claims turns, runs them through LangChain, commits their effect.

`app` builds it, `run` drives one turn. Only `langchain` and `provider` import LangChain and openai.
"""
