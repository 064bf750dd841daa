"""The Flask edge: parse, one store call, render. Loads neither LangChain nor Celery."""
