"""The tests. Nothing is imported before this: the names of keys depend on the environment of their first import."""

import os

from turns.config.settings import CLIENT_VARIABLES, variables

# The environment of the developer must not change the tests or the processes that they start.
for variable in (*variables().values(), *CLIENT_VARIABLES, "MAKEFLAGS"):
    os.environ.pop(variable, None)
