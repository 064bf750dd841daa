"""`responses`: turns as responses, created, retrieved, streamed from any event, cancelled and deleted."""
