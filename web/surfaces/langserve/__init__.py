"""The protocol of LangServe's `RemoteRunnable`: `invoke`, `batch`, `stream` and the three schemas of an assistant.

`configurable.session_id` or `conversation_id` names the session, `configurable.user_id` or the cookie `user_id` the
user. Without a session, the turn gets a new one.
"""
