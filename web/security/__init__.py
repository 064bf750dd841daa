"""Authentication by API key, the cross-origin guard and the audit log. Imported by `web.app` and `web.routes`."""
