"""Run Lua scripts by their digest, and wait for replicas if callers rely on the effect.

All scripts are sent by `run_script`, so that none is sent without the keys that a partition declares.

Each script may run twice, because the Redis client repeats a command whose reply was lost; it returns the same reply
then.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, cast

from redis.exceptions import NoScriptError

from turns.backend.client import Client
from turns.backend.partition.rendering import render_in_partition, render_plain
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable

# Callers rely on the effects of these verbs, so with `settings.replicas` the replicas must have them first.
PROMISES = frozenset(
    {
        "accept",
        "commit",
        "interrupt",
        "fail",
        "cancel",
        "import_messages",
        "erase",
        "adopt",
        "create_job",
        "fork",
        "delete_turn",
        "patch_session",
        "complete_file",
        "lend_file",
        "delete_file",  # otherwise a fail-over could bring back the record of a file whose bytes are deleted then
        "sweep_files",
    }
)
REPLICATION_MS = 400  # shorter than the shortest timeout of a caller
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Script:
    text: str
    digest: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the script with this text."""
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def run_script(client: Client, script: Script, *args: str | int | bytes) -> list[Any]:
    """Send a script with the keys that it must declare, and return its reply."""
    declared = client.declared_keys
    try:
        return cast(list[Any], client.evalsha(script.digest, len(declared), *declared, *args))
    except NoScriptError:  # the store was restarted and has lost the script
        return cast(list[Any], client.eval(script.text, len(declared), *declared, *args))


class ScriptRunner:
    """The base of the classes that have a method for each of their verbs."""

    verbs: ClassVar[tuple[str, ...]]

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._replicas = settings.replicas
        render = render_in_partition if client.declared_keys else render_plain
        self._scripts = {verb: Script.of(text) for verb, text in render(self.verbs, settings).items()}

    def _all(self, verb: str, *args: str | int | bytes) -> list[Any]:
        if not self._replicas or verb not in PROMISES:
            return run_script(self._client, self._scripts[verb], *args)
        with self._client.on_one_connection() as one:  # WAIT counts the writes of the same connection
            reply = run_script(one, self._scripts[verb], *args)
            reached = int(one.wait(self._replicas, REPLICATION_MS))
        if reached < self._replicas:
            raise StoreUnavailable(f"{reached} of {self._replicas} replicas have acknowledged the write")
        return reply

    def _run(self, verb: str, *args: str | int | bytes) -> list[Any]:
        outcome, *rest = self._all(verb, *args)
        return [outcome.decode(), *rest]

    def _outcome(self, verb: str, *args: str | int | bytes) -> Reply:
        return Reply(self._run(verb, *args)[0])


def flatten(fields: Mapping[str, T]) -> list[str | T]:
    """Return names and values in turn, as Redis takes the fields of a hash."""
    return [part for pair in fields.items() for part in pair]
