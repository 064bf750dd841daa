"""Files that the commands read and write: batches with their results, message files and the last session.

The commands and their shared options import it; it never writes to the terminal.
"""
