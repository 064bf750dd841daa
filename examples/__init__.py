"""Chains of one's own, ready to run: copy assistants.example.toml to assistants.toml, then `make up`."""
