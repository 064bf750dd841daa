"""The settings as the turns of one assistant have them."""

from typing import Any

from pydantic import SecretStr

from turns.config.settings import Settings, read_secret
from turns.domain.assistant import Assistant

SAME_NAMES = ("model", "first_token_seconds", "idle_seconds", "total_seconds")


def settings_for(assistant: Assistant, settings: Settings) -> Settings:
    """What the assistant says, and the rest as it was. A key goes to the provider that it was named for alone."""
    said: dict[str, Any] = {name: value for name in SAME_NAMES if (value := getattr(assistant, name)) is not None}
    if assistant.fallback is not None:
        said["fallback_model"] = assistant.fallback
    if assistant.history_messages is not None:
        said["history_window"] = assistant.history_messages
    if assistant.base_url is not None:
        said |= {"openai_base_url": assistant.base_url, "openai_api_key": SecretStr("")}
    if assistant.api_key_env is not None:
        said["openai_api_key"] = read_secret(assistant.api_key_env)
    return settings.model_copy(update=said) if said else settings


def check_secret(assistant: Assistant) -> tuple[str, str] | None:
    """What is wrong with its key, for the process that needs it."""
    name = assistant.api_key_env
    if name is None or read_secret(name).get_secret_value():
        return None
    return "api_key_env", f"the environment variable {name} is not set; set it for the worker, or leave this out"
