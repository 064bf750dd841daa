"""HTTP mechanics: validation, responses, problems, preferences and timeouts.

Imported by `web.routes`, `web.streaming`, `web.openapi` and `web.server`; it imports only `web.schemas` and
`web.security`.
"""
