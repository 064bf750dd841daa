"""The command line. Data goes to stdout, talk to stderr; `rich` is loaded only where something is drawn."""
