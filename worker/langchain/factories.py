"""Find the factory of a custom chain by its name in `assistants.toml`, such as `examples.chains.haiku:build`."""

import importlib
from collections.abc import Callable
from typing import Any

from turns.assistants.overrides import check_secret
from turns.domain.assistant import Assistant
from turns.domain.worker_kind import WorkerKind

Factory = Callable[..., Any]


class ChainNotFound(Exception):
    """The factory does not exist. The message explains what to do."""


def find_factory(chain: str) -> Factory:
    """Import the module and return the factory. Raise `ChainNotFound`, also if the module raises on import."""
    module_name, _, name = chain.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise ChainNotFound(
                f"there is no module {error.name!r}; start the worker where it can be imported, or set PYTHONPATH"
            ) from error
        raise ChainNotFound(
            f"{module_name} needs {error.name!r}, which is not installed; install it where the worker runs"
        ) from error
    except (Exception, SystemExit) as error:  # a module that is a script ends with sys.exit()
        raise ChainNotFound(f"{module_name} raises {error!r} while it is imported; python -m {module_name}") from error
    factory = getattr(module, name, None)
    if factory is None:
        raise ChainNotFound(f"{module_name} has no {name!r}; name a function of it that returns a Runnable")
    if not callable(factory):
        raise ChainNotFound(f"{chain} is a {type(factory).__name__}; name a function that returns it")
    return factory  # type: ignore[no-any-return]  # it is callable, see above


def check_assistant(assistant: Assistant, *, kind: WorkerKind) -> tuple[str, str] | None:
    """Return the field that a worker of this kind cannot use, and what to do; None if there is none."""
    if problem := check_secret(assistant):
        return problem
    if assistant.chain and assistant.worker_kind is kind:
        try:
            find_factory(assistant.chain)
        except ChainNotFound as error:
            return "chain", str(error)
    return None
