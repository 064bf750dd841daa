"""Run the conversations of `make chaos-edits` and print the errors by kind."""

import sys

from tests.chaos.edits.conversations import main

if __name__ == "__main__":
    sys.exit(main())
