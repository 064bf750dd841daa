"""The Celery side: claims turns, runs them through LangChain, commits what they staged."""
