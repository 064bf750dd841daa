"""What a late reader of a turn's events has missed: from the stream of the turn, or from the record of its answer.

Used by the event streams of turns and sessions.
"""
