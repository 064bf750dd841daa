"""The settings that apply to the turns of one assistant."""

from typing import Any

from pydantic import SecretStr

from turns.config.environment import find_provider_problems, read_secret
from turns.config.provider_url import check_header_value
from turns.config.settings import Settings
from turns.domain.assistant import Assistant

SAME_NAMES = ("model", "first_token_seconds", "idle_seconds", "total_seconds")


def settings_for(assistant: Assistant, settings: Settings) -> Settings:
    """Return the settings with the assistant's own values.

    An assistant with a base URL does not inherit the API key of the settings, which must not reach another provider.
    """
    overrides: dict[str, Any] = {name: value for name in SAME_NAMES if (value := getattr(assistant, name)) is not None}
    if assistant.fallback is not None:
        overrides["fallback_model"] = assistant.fallback
    if assistant.history_messages is not None:
        overrides["history_window"] = assistant.history_messages
    if assistant.base_url is not None:
        overrides |= {"openai_base_url": assistant.base_url, "openai_api_key": SecretStr("")}
    if assistant.api_key_env is not None:
        overrides["openai_api_key"] = read_secret(assistant.api_key_env)
    return settings.model_copy(update=overrides) if overrides else settings


def check_secret(assistant: Assistant) -> tuple[str, str] | None:
    """Return the field and error if the assistant's API key is not set in this process, else None."""
    name = assistant.api_key_env
    if name is None or read_secret(name).get_secret_value():
        return None
    return "api_key_env", f"the environment variable {name} is not set; set it for the worker, or remove this field"


def check_provider(assistant: Assistant) -> tuple[str, str] | None:
    """Return the field and error if the environment of this process lets no request of the assistant be sent."""
    if name := assistant.api_key_env:
        try:
            check_header_value(read_secret(name).get_secret_value())
        except ValueError as error:
            return "api_key_env", f"the environment variable {name} {error}"
    if (assistant.base_url or assistant.api_key_env) and (problems := find_provider_problems()):
        return "base_url", problems[0]
    return None
