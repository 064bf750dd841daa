"""Run Lua scripts by their digest, and wait for replicas if callers rely on the effect.

Each script may run twice, because the Redis client repeats a command whose reply was lost; it returns the same reply
then.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from redis.exceptions import NoScriptError

from turns.backend.client import Client
from turns.backend.script_loader import render, render_constants
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable

# Callers rely on the effects of these verbs, so with `settings.replicas` the replicas must have them first.
PROMISES = frozenset(
    {"accept", "commit", "interrupt", "fail", "cancel", "import_messages", "erase", "adopt", "create_job"}
)
REPLICATION_MS = 400  # shorter than the shortest timeout of a caller


class ScriptRunner:
    """The base of the classes that have a method for each of their verbs."""

    verbs: ClassVar[tuple[str, ...]]

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._replicas = settings.replicas
        constants = render_constants(settings)
        self._texts = {verb: render(verb, constants) for verb in self.verbs}
        self._digests = {verb: _sha1(text) for verb, text in self._texts.items()}

    def _all(self, verb: str, *args: str | int) -> list[Any]:
        if not self._replicas or verb not in PROMISES:
            return self._call(self._client, verb, args)
        with self._client.on_one_connection() as one:  # WAIT counts the writes of the same connection
            reply = self._call(one, verb, args)
            reached = int(one.wait(self._replicas, REPLICATION_MS))
        if reached < self._replicas:
            raise StoreUnavailable(f"{reached} of {self._replicas} replicas have acknowledged the write")
        return reply

    def _call(self, client: Client, verb: str, args: Sequence[str | int]) -> list[Any]:
        try:
            return cast(list[Any], client.evalsha(self._digests[verb], 0, *args))
        except NoScriptError:  # the store was restarted and has lost the script
            return cast(list[Any], client.eval(self._texts[verb], 0, *args))

    def _run(self, verb: str, *args: str | int) -> list[Any]:
        outcome, *rest = self._all(verb, *args)
        return [outcome.decode(), *rest]

    def _outcome(self, verb: str, *args: str | int) -> Reply:
        return Reply(self._run(verb, *args)[0])


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
