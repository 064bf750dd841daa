"""Tokens and cost by day, tenant, user, assistant and model: fold what ended runs took into sums, and report them.

The scripts that end a run append one entry to a list. `store.py` adds the entries to the sums of their days, and
`report.py` groups these sums. The web process and the workers import it.
"""
