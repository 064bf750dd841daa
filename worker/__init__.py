"""The Celery worker: claims turns, runs their chains, and commits the answers.

`app` builds the process, `run` executes turns. Only `langchain` and `provider` import LangChain and openai.
"""
