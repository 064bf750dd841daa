"""A small pure model of the store, with which `test_interleavings.py` compares the real one."""
