"""The HTTP endpoint, a Flask app that gunicorn serves.

A route parses, makes one call to `turns` and renders. The package loads neither LangChain nor Celery.
"""
