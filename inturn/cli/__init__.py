"""The command line: `main` assembles the commands, each of which uses the client like any other program.

Only `inturn.__main__` and the script entry point import it. Answers and tables go to stdout, everything else to stderr.
"""
