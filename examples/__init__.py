"""Chains of one's own, ready to run: copy examples/assistants.toml to assistants.toml, then `make up`."""
