"""Custom chains, ready to run: copy examples/assistants.toml to assistants.toml, then `make up`."""
