"""All surfaces at once: clients of several protocols on the same store under kills. `make chaos-surfaces`.

Each client holds its own conversations, in which the text of a turn identifies it, and reports the answers that it
showed. The checker knows no protocol.
"""
