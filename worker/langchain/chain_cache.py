"""Cache of the chains of this process: one for each version of an assistant and each model, built at first use."""

import dataclasses
import threading
from collections.abc import Callable, Iterable
from typing import Any

from turns.assistants.overrides import check_secret, settings_for
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.assistant import Assistant, RunsIn
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, ModelError, ModelErrorKind
from turns.domain.run.claim import Claim
from worker.langchain.chain import ChainRun, build_chain
from worker.langchain.chain_call import ChainRefused, build_custom_chain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_process import ProcessChainRun, call_in_process, start_server
from worker.langchain.content.file_loader import NO_FILES, FileLoader, open_file_loader
from worker.langchain.custom_chain import CustomChainRun
from worker.langchain.factories import find_factory
from worker.provider.models import build_model, with_response_format

MAX_CHAINS = 256  # beyond this number the cache is emptied, because versions of assistants come and go
BUILD_SECONDS = 10.0  # for the factories of all custom chains, at the start of a worker


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """The reason why a custom chain cannot be built, and whether that is certain for all its turns."""

    reason: str
    is_refusal: bool


class ChainCache:
    """Builds chains and models, and keeps them. `settings` are always those of the assistant."""

    def __init__(
        self, loop: ChainLoop | None = None, *, permits: Callable[[Assistant], bool], files: FileLoader = NO_FILES
    ) -> None:
        """With `loop`, each run of a custom chain gets a thread, in which it may block.

        `permits` returns whether this worker may use the code, host and key that an assistant names.
        """
        self._loop = loop
        self._permits = permits
        self._files = files
        self._models: dict[object, Any] = {}
        self._chains: dict[tuple[str, str, bool], Any] = {}

    def prepare(self, assistants: Iterable[Assistant], settings: Settings) -> None:
        """Build the chains of these assistants before their first turn; `settings` are those of the service.

        Raise `ConfigurationError`, also for custom chains that no turn can run. A factory that raises fails its turns
        and not the worker; one that takes longer than `BUILD_SECONDS` is left to its first turn.
        """
        custom = []
        for assistant in assistants:
            if assistant.chain:
                custom.append(assistant)
            else:
                effective = settings_for(assistant, settings)
                self._chain(assistant, effective.model_name, effective)
        if modules := [one.chain.partition(":")[0] for one in custom if one.runs_in is RunsIn.PROCESS]:
            start_server(modules)
        refusals: list[str] = []
        has_started = threading.Event()  # from then on, a refusal can only be logged
        arguments = (custom, settings, refusals, has_started)
        thread = threading.Thread(target=self._build_custom, args=arguments, daemon=True)
        thread.start()
        thread.join(BUILD_SECONDS)
        has_started.set()
        if refusals:
            raise ConfigurationError("\n".join(refusals))

    def _build_custom(
        self, assistants: Iterable[Assistant], settings: Settings, refusals: list[str], has_started: threading.Event
    ) -> None:
        """Build custom chains where their turns will run, and add the reasons of those that no turn can run."""
        for assistant in assistants:
            effective = settings_for(assistant, settings)
            if assistant.runs_in is RunsIn.PROCESS:
                problem = call_in_process(find_problem_in_process, assistant, effective, timeout_seconds=BUILD_SECONDS)
            else:
                problem = self.find_problem(assistant, effective)
            if problem and problem.is_refusal and not has_started.is_set():
                refusals.append(f"{settings.assistants}: assistants.{assistant.name}.chain: {problem.reason}")
            elif problem:
                get_logger().error(Log.CHAIN_NOT_BUILT, assistant=assistant.name, error=problem.reason)

    def find_problem(self, assistant: Assistant, settings: Settings) -> Problem | None:
        """Build the custom chain; return what keeps it from running."""
        try:
            self._chain(assistant, settings.model_name, settings)
        except ChainRefused as refusal:
            return Problem(str(refusal), is_refusal=True)
        except (Exception, SystemExit) as error:
            return Problem(repr(error), is_refusal=False)
        return None

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
            return CustomChainRun(
                lambda: self._chain(assistant, model, settings), claim, loop=self._loop, files=self._files
            )
        if claim.own_format:
            chain = self._build_with_format(claim, settings)
        else:
            chain = self._chain(assistant, model, settings, takes_messages=bool(claim.parts))
        return ChainRun(chain, claim, files=self._files)

    def _build_with_format(self, claim: Claim, settings: Settings) -> Any:
        """Return a chain for this turn only, which asks the model for the form that its caller wants."""
        model = with_response_format(
            self._model(claim.assistant, settings.model_copy(update={"model": claim.model})), claim.response_format
        )
        return build_chain(claim.assistant, model, takes_messages=bool(claim.parts))

    def _chain(self, assistant: Assistant, model: str, settings: Settings, *, takes_messages: bool = False) -> Any:
        key = (assistant.digest, model, takes_messages)
        if key not in self._chains:
            if len(self._chains) >= MAX_CHAINS:
                self._chains.clear()
                self._models.clear()
            self._chains[key] = self._build(assistant, model, settings, takes_messages=takes_messages)
        return self._chains[key]

    def _build(self, assistant: Assistant, model_name: str, settings: Settings, *, takes_messages: bool) -> Any:
        model = self._model(assistant, settings.model_copy(update={"model": model_name}))
        if assistant.chain:
            return build_custom_chain(find_factory(assistant.chain), model)
        return build_chain(assistant, model, takes_messages=takes_messages)

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
    return _cache_of_process(settings).create_run(dataclasses.replace(claim, assistant=assistant), settings)


def find_problem_in_process(assistant: Assistant, settings: Settings) -> Problem | None:
    """Return what keeps a chain from running in a process."""
    return _cache_of_process(settings).find_problem(assistant, settings)


def _cache_of_process(settings: Settings) -> ChainCache:
    return ChainCache(
        ChainLoop(max_threads=settings.concurrency),
        permits=lambda _: True,  # the worker has asked
        files=open_file_loader(settings),
    )
