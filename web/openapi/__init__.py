"""The OpenAPI document, made from the declared operations and the pydantic models. Imported by `web.routes`."""
