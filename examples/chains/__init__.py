"""Custom chains, ready to run: name one in assistants.toml, such as `chain = "examples.chains.haiku:build"`."""
