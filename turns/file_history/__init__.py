"""Histories as JSON files: the files, and the turn and session stores that commit to them.

Imports `turns.store` and what is below it. Entry points choose between these stores and those of `turns.store`.
"""
