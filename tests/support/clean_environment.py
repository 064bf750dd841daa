"""Remove the settings of the developer from the environment; import this before any other module of the product.

They must not change the tests or the processes that they start, and the names of keys depend on the environment of
their first import. Processes that a test starts with other settings do not import this.
"""

import os

from turns.config.environment import CLIENT_VARIABLES
from turns.config.settings import variables

for variable in (*variables().values(), *CLIENT_VARIABLES, "MAKEFLAGS"):
    os.environ.pop(variable, None)
