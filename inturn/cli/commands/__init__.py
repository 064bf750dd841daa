"""One module for each command or command group. Only `inturn.cli.main` imports it."""
