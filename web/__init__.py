"""The Flask endpoint: parse, one store call, render. Loads neither LangChain nor Celery.

`app` builds it and `server` runs it. `routes` use `http`, `schemas`, `security`, `streaming` and `openapi`.
"""
