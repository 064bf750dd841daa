"""Custom chains, ready to run (copy assistants.toml to the top, then `make up`), and the app of the tutorial.

`docs/guides/custom_chains.md` and `docs/start/first_app.md` explain them.
"""
