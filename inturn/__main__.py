"""`python -m inturn`: the command line, where its script is not on the path."""

import sys

from inturn.cli.main import main

sys.exit(main())
