"""The event stream of a session: what a reader with a cursor has missed, from the records of its turns.

Nothing is stored for it. `SessionStreamStore` is the door, `StreamCursor` the position of a reader. Used by the web
process.
"""
