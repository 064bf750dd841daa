"""Cache of the chains of this process: one for each version of an assistant and each model, built at first use."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from turns.assistants.overrides import check_secret, settings_for
from turns.config.settings import Settings
from turns.domain.assistant import Assistant, RunsIn
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, ModelError, ModelErrorKind
from turns.domain.turn import Claim
from worker.langchain.chain import ChainRun, build_chain
from worker.langchain.chain_call import build_custom_chain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_process import ProcessChainRun, start_server
from worker.langchain.custom_chain import CustomChainRun
from worker.langchain.factories import find_factory
from worker.provider.models import build_model

MAX_CHAINS = 256  # beyond this number the cache is emptied, because versions of assistants come and go


class ChainCache:
    """Builds chains and models, and keeps them. `settings` are always those of the assistant."""

    def __init__(self, loop: ChainLoop | None = None, *, permits: Callable[[Assistant], bool]) -> None:
        """With `loop`, each run of a custom chain gets a thread, in which it may block.

        `permits` returns whether this worker may use the code, host and key that an assistant names.
        """
        self._loop = loop
        self._permits = permits
        self._models: dict[object, Any] = {}
        self._chains: dict[tuple[str, str], Any] = {}

    def prepare(self, assistants: Iterable[Assistant], settings: Settings) -> None:
        """Build the chains of these assistants before their first turn; `settings` are those of the service.

        Raise `ConfigurationError`.
        """
        processes = []
        for assistant in assistants:
            if not assistant.chain:  # a factory may raise, which must fail its turn and not the worker
                effective = settings_for(assistant, settings)
                self._chain(assistant, effective.model_name, effective)
            elif assistant.runs_in is RunsIn.PROCESS:
                processes.append(assistant.chain.partition(":")[0])
        if processes:
            start_server(processes)

    def create_run(self, claim: Claim, settings: Settings) -> ChainRun:
        """Return one attempt at the claimed turn, with the version of its assistant that it was accepted under.

        Raise `ModelError` if this worker must not run that version; another worker may have another file.
        """
        assistant, model = claim.assistant, claim.model
        if not self._permits(assistant):
            reason = (
                f"the assistants file names no assistant with (chain, base_url, api_key_env) = {assistant.resources}"
            )
            raise ModelError(Code.ASSISTANT_NOT_CONFIGURED, ModelErrorKind.RETRYABLE, message=reason)
        if assistant.runs_in is RunsIn.PROCESS:
            return ProcessChainRun(claim, settings, create_run_in_process)
        if assistant.chain:
            return CustomChainRun(lambda: self._chain(assistant, model, settings), claim, loop=self._loop)
        return ChainRun(self._chain(assistant, model, settings), claim)

    def _chain(self, assistant: Assistant, model: str, settings: Settings) -> Any:
        key = (assistant.digest, model)
        if key not in self._chains:
            if len(self._chains) >= MAX_CHAINS:
                self._chains.clear()
                self._models.clear()
            self._chains[key] = self._build(assistant, model, settings)
        return self._chains[key]

    def _build(self, assistant: Assistant, model_name: str, settings: Settings) -> Any:
        model = self._model(assistant, settings.model_copy(update={"model": model_name}))
        if assistant.chain:
            return build_custom_chain(find_factory(assistant.chain), model)
        return build_chain(assistant, model)

    def _model(self, assistant: Assistant, settings: Settings) -> Any:
        """Return one model for all assistants with the same provider and parameters, so that they share connections."""
        if problem := check_secret(assistant):  # without its key, the offline model would answer
            raise ConfigurationError(": ".join(problem))
        key = (
            settings.model,
            settings.openai_base_url,
            settings.openai_api_key.get_secret_value(),
            settings.first_token_seconds,
            settings.idle_seconds,
            assistant.cache_key,
        )
        if key not in self._models:
            self._models[key] = build_model(settings, assistant)
        return self._models[key]


def create_run_in_process(claim: Claim, settings: Settings) -> ChainRun:
    """Return one attempt at the turn in the process of a chain, which runs no other turn."""
    assistant = dataclasses.replace(claim.assistant, runs_in=RunsIn.THREAD)
    chains = ChainCache(ChainLoop(max_threads=settings.concurrency), permits=lambda _: True)  # the worker has asked
    return chains.create_run(dataclasses.replace(claim, assistant=assistant), settings)
