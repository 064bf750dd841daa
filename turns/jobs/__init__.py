"""The list of failed turns, and bulk acts of operators as jobs, which web processes carry out in steps.

Imported by `web`, which creates the jobs and runs them.
"""
