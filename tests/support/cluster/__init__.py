"""A real cluster of store servers on loopback, moves of its slots, and failures of its nodes."""
