"""Move an installation from one server into the partitions of an empty Redis Cluster: `python -m turns move`.

`rules.py` has a rule for each declared key. Nothing else imports this package.
"""
