"""Pydantic models of requests and responses, and the functions that fill them. Imported by `web.routes`."""
