"""The operator's side of the store: actions, live turns, why a turn waits, timelines, workers and time series.

Imports `turns.store` and what is below it. Used by the operator routes of the web process.
"""
