"""The rule for addresses that other machines can reach."""

from turns.access.api_keys import ApiKeyStore
from turns.config import commands
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError


def check_exposure(api_keys: ApiKeyStore, settings: Settings) -> None:
    """Raise `ConfigurationError` if other machines could call the service without a key."""
    if settings.is_loopback or settings.allow_open_access or settings.require_keys or api_keys.has_keys():
        return
    raise ConfigurationError(
        f"INTURN_HOST: {settings.host} can be reached from other machines, but there is no API key. "
        f"Start it on 127.0.0.1 (without INTURN_HOST) and create one there ({commands.CREATE_KEY}), "
        "or set INTURN_ALLOW_OPEN_ACCESS=true."
    )
