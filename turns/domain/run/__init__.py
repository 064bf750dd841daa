"""One run of a turn: its claim, its answer, what it took, and what follows if it fails."""
