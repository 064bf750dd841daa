"""Read the settings and secrets from the environment."""

import difflib
import os
import sys
from collections.abc import Mapping

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from turns.config.contradictions import find_contradictions
from turns.config.network import find_client_problems
from turns.config.rules import describe_rule
from turns.config.settings import PREFIX, Settings, variable_of, variables
from turns.domain.errors import ConfigurationError

NAMESPACE = "INTURN_NAMESPACE"
CLIENT_VARIABLES = frozenset({"INTURN_URL", "INTURN_API_KEY"})  # settings of the client, often set in the same shell


def read_settings() -> Settings:
    """Read the settings; raise `ConfigurationError` with a list of all errors."""
    problems = _misspelt_names(os.environ)
    try:
        settings = Settings()
    except ValidationError as error:
        problems += [_describe(details) for details in error.errors()]
    else:
        problems += find_contradictions(settings, os.environ)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def with_store(settings: Settings, url: str) -> Settings:
    """Return the settings for another store; raise `ConfigurationError` for those that it cannot keep."""
    changed = settings.model_copy(update={"redis_url": url})
    if problems := find_contradictions(changed, os.environ):
        raise ConfigurationError("\n".join(problems))
    return changed


def settings_or_exit() -> Settings:
    """Read the settings; if any is wrong, print all errors and exit with code 2."""
    try:
        return read_settings()
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start; these settings are wrong:\n{error}\n")
        raise SystemExit(2) from None


def read_namespace() -> str:
    """Return `INTURN_NAMESPACE` for the names of keys, which are made before the settings are checked."""
    return next((value.strip() for name, value in os.environ.items() if name.upper() == NAMESPACE), "")


def read_secret(name: str) -> SecretStr:
    """Return the value of an environment variable without outer white space; empty if it is not set."""
    return SecretStr(os.environ.get(name, "").strip())


def find_provider_problems() -> list[str]:
    """Return an error for each variable with which no request to a provider could be sent."""
    return find_client_problems(os.environ)


def _describe(error: ErrorDetails) -> str:
    """Return the variable, the rule that its value breaks, and the value."""
    location = str(error["loc"][0])
    rules = {
        name: field.json_schema_extra.get("rule")
        for key, field in Settings.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        for name in (key, variable_of(key))
    }
    return f"{variable_of(location)}: {rules.get(location) or describe_rule(error)} (it is {error['input']!r})"


def _misspelt_names(environment: Mapping[str, str]) -> list[str]:
    """Return an error for each variable with our prefix that is not a setting.

    Without this check, a misspelt setting would be ignored silently.
    """
    known = set(variables().values())
    problems = []
    for name in sorted({name.upper() for name in environment} - known - CLIENT_VARIABLES):
        if name.startswith(PREFIX):
            nearest = sorted(known & {name.removeprefix(PREFIX)}) or difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else "; docs/reference/settings.md lists all of them"
            problems.append(f"{name}: there is no such setting{hint}")
    return problems
