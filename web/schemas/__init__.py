"""Pydantic models of requests and responses.

Imported by the packages of `web` that parse or render; they import nothing else of `web`.
"""
