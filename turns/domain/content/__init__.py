"""The content of a message that is more than text: its parts, and LangChain's blocks for them.

Any package may import it.
"""
