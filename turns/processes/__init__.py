"""The processes of an installation: what each worker and web process reports about itself.

`reporter.py` is for the processes, `listing.py` reads their records for operators. Imported by `turns.operations`,
`web` and `worker`.
"""
