"""The operator's side of the store: actions, live turns, wait reasons, timelines, time series.

Imports `turns.store` and what is below it. Used by the operator routes of the web process.
"""
