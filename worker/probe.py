"""`python -m worker.probe`: ask each model for one token, with the very request of a turn.

Prints the error code and the reason of each failure. `make doctor ARGS=--ask-model` runs it.
"""

import sys
from dataclasses import replace

from turns.assistants.overrides import check_secret, settings_for
from turns.assistants.registry import registry_or_exit
from turns.config.environment import settings_or_exit
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.errors import ConfigurationError
from worker.provider.failures import to_model_error
from worker.provider.models import build_model


def main() -> int:
    settings = settings_or_exit()
    requests = {_request_key(one, settings): one for one in registry_or_exit(settings).all_assistants().values()}
    failures = [failure for assistant in requests.values() if (failure := ask(assistant, settings))]
    for failure in failures:
        sys.stdout.write(f"{failure}\n")  # libraries write their warnings to standard error
    return int(bool(failures))


def ask(assistant: Assistant, settings: Settings) -> str:
    """Request one token from the assistant's model; return the reason of a failure, or ""."""
    try:
        if problem := check_secret(assistant):
            raise ConfigurationError(": ".join(problem))
        for _ in build_model(settings_for(assistant, settings), replace(assistant, max_tokens=1)).stream("Hello"):
            pass
    except ConfigurationError as error:
        return f"{error} (assistant {assistant.name})"
    except Exception as error:
        if not (known := to_model_error(error)):
            raise
        return f"{known.code} ({known}; assistant {assistant.name})"
    return ""


def _request_key(assistant: Assistant, settings: Settings) -> tuple[str, ...]:
    """Return a key that is equal for assistants whose requests differ in their messages only."""
    effective = settings_for(assistant, settings)
    login = effective.openai_api_key.get_secret_value()
    return effective.openai_base_url, login, effective.model, replace(assistant, max_tokens=1).cache_key


if __name__ == "__main__":
    sys.exit(main())
