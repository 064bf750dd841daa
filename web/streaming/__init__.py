"""Long polls and server-sent events.

Imported by `web.app` and `web.routes`.
"""
