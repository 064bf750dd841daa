"""Output to the terminal: stdout and stderr, tables, the spinner and the answer of a turn.

The commands import it. It imports rich only when something is drawn, because rich takes longer to load than the client.
"""
