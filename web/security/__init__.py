"""Authentication by API key, the cross-origin guard and the audit log.

Imported by `web.app`, `web.routes`, `web.openapi` and `web.streaming`; it imports nothing else of `web`.
"""
