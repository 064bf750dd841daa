"""The protocol of OpenAI's clients: the base URL `/openai/v1` in place of theirs, and a durable queue behind it.

A model is an assistant, a conversation is a session, and a response is a turn: their ids differ by a prefix at most.
"""
