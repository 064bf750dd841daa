"""Requests that a client repeats by itself, in protocols whose clients send no idempotency key.

`web` may import this package.
"""
