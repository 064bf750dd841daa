"""`make doctor`: check store, workers, keys, endpoint, models and packages, and print a fix for each problem.

A module for each subject yields `Finding`s; `__main__` runs them all. Nothing here changes anything.
"""
