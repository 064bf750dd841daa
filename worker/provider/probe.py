"""`python -m worker.provider.probe`: ask the model for one token, with the very request of a turn.

Prints the error code and the reason if that fails. `make doctor ARGS=--ask-model` runs it.
"""

import sys

from turns.config.settings import settings_or_exit
from turns.domain.errors import ConfigurationError
from worker.provider.models import build_model, to_model_error


def main() -> int:
    try:
        for _ in build_model(settings_or_exit(), max_tokens=1).stream("Hello"):
            pass
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except Exception as error:
        if not (known := to_model_error(error)):
            raise
        sys.stderr.write(f"{known.code} ({known})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
