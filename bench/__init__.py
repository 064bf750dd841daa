"""`make bench`: measure what a turn costs and compare it with plain Celery and LangGraph's development server.

It starts the processes with the helpers of the tests and imports the product only to run its chain. Nothing imports it.
"""
