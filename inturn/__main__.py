"""`python -m inturn`: the command line for environments without the `inturn` script on the path."""

import sys

from inturn.cli.main import main

sys.exit(main())
