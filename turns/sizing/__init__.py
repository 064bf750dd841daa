"""What an installation needs for a given load: memory, primaries, workers and bandwidth.

`calculator.calculate` is a pure function. `python -m turns.sizing`, which is `inturn size`, prints its result.
"""
