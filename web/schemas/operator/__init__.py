"""Pydantic models of the requests and responses under `/operator`. Imported by `web.routes.operator`."""
