"""Authentication by API key, the cross-origin guard and the audit log.

Every other package of `web` may import it; it imports nothing else of `web`.
"""
