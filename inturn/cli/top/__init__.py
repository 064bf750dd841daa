"""The command `inturn top`: the whole service for the key of an operator, the caller's own turns for any other key."""
