"""Bulk acts of operators as jobs: which turns they touch, and the steps in which web processes carry them out.

Imported by `web`, which creates the jobs and runs them.
"""
