"""`chat.completions.create`: one call with the whole conversation, streamed or not.

Without a session each call is a turn that stands alone. With one, the last message is a turn of that session.
"""
