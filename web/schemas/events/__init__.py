"""The data of server-sent events: those of a turn, those of its output, and those of a session."""
