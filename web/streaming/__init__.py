"""Watching a turn: server-sent events and long polls. Imported by `web.app` and `web.routes`."""
