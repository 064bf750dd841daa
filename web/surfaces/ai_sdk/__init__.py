"""The protocol of `useChat` in Vercel's AI SDK, whose messages form a durable queue here.

The page keeps its default transport: `POST /ai/v7/chat`, and `GET …/{id}/stream` to resume. A chat is a session, and
the id of a message is its idempotency key. `v6` is for that major release, which cannot take text back.
"""
