"""The chains that this process runs: one for each version of an assistant and each model, built when first needed."""

from collections.abc import Iterable
from typing import Any

from turns.assistants.overrides import settings_for
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.turn import Claim
from worker.langchain.chain import Run, build_chain
from worker.langchain.custom_chain import CustomChainRun, build_custom_chain
from worker.langchain.factories import find_factory
from worker.provider.models import build_model, model_name

MAX_CHAINS = 256  # versions come and go; beyond this all are built again at need


class Chains:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models: dict[object, Any] = {}
        self._chains: dict[tuple[str, str], Any] = {}

    def prepare(self, assistants: Iterable[Assistant]) -> None:
        """The first turn of each finds its chain built."""
        for assistant in assistants:
            settings = settings_for(assistant, self._settings)
            if not assistant.chain:  # a factory may do anything; its turn is told what goes wrong
                self._chain(assistant, model_name(settings))

    def run(self, claim: Claim) -> Run:
        """One attempt at the claimed turn, with the version of its assistant that it was accepted under."""
        assistant, model = claim.assistant, claim.model
        if assistant.chain:
            return CustomChainRun(lambda: self._chain(assistant, model), claim)
        return Run(self._chain(assistant, model), claim)

    def _chain(self, assistant: Assistant, model: str) -> Any:
        key = (assistant.digest, model)
        if key not in self._chains:
            if len(self._chains) >= MAX_CHAINS:
                self._chains.clear()
                self._models.clear()
            self._chains[key] = self._build(assistant, model)
        return self._chains[key]

    def _build(self, assistant: Assistant, name: str) -> Any:
        model = self._model(assistant, name)
        if assistant.chain:
            return build_custom_chain(find_factory(assistant.chain), model)
        return build_chain(assistant, model)

    def _model(self, assistant: Assistant, name: str) -> Any:
        """One for all assistants that ask the same provider in the same way, so that they share its connections."""
        settings = settings_for(assistant, self._settings).model_copy(update={"model": name})
        key = (
            name,
            settings.openai_base_url,
            settings.openai_api_key.get_secret_value(),
            settings.first_token_seconds,
            settings.idle_seconds,
            assistant.temperature,
            assistant.max_tokens,
        )
        if key not in self._models:
            self._models[key] = build_model(
                settings, temperature=assistant.temperature, max_tokens=assistant.max_tokens
            )
        return self._models[key]
