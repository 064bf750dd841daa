"""Long polls and server-sent events.

Imported by `web.services`, `web.routes` and `web.surfaces`.
"""
