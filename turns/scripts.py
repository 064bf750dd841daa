"""The Lua scripts: one file, one typed method, one verb. Nothing else changes a turn.

Each script runs twice some day, because the Redis client asks again when a reply got lost; each gives the
same answer then. The contract of a script is the header of its file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any, Self, cast

from turns import keys
from turns.connection import Client
from turns.errors import StoreUnavailable
from turns.settings import Settings
from turns.state import INITIAL, LIVE, TRANSITIONS

FIRST_DELTA = 2  # a claim emits at most two events before the first piece of text: `reset` and `status`

# Shaped like a turn id, so that Celery renders it as one; never given to a turn.
HINT_PLACEHOLDER = "turn_" + "0" * 32

DEAD_WORKER_SECONDS = 10.0  # a worker beats once per `rescue_seconds`
LUA_TURN_ID = "turn_" + "%x" * 32

# What somebody outside is told of: with `settings.replicas` they must hold it first.
PROMISES = frozenset({"accept", "commit", "interrupt", "fail", "cancel"})
REPLICATION_MS = 400  # below the least patient caller's timeout for an answer

VERBS = (
    "accept",
    "claim",
    "renew",
    "emit",
    "commit",
    "interrupt",
    "fail",
    "release",
    "cancel",
    "rescue",
    "read",
)


class Reply(StrEnum):
    """The words that scripts answer with."""

    ACCEPTED = "ACCEPTED"
    REPLAYED = "REPLAYED"
    KEY_REUSED = "KEY_REUSED"
    SESSION_BUSY = "SESSION_BUSY"
    BACKLOG_FULL = "BACKLOG_FULL"
    OVERLOADED = "OVERLOADED"
    CLAIMED = "CLAIMED"
    EXPIRED = "EXPIRED"
    NOT_NOW = "NOT_NOW"
    EMITTED = "EMITTED"
    COMMITTED = "COMMITTED"
    INTERRUPTED = "INTERRUPTED"
    RELEASED = "RELEASED"
    SUPERSEDED = "SUPERSEDED"
    FAILED = "FAILED"
    RETRYING = "RETRYING"
    CANCELLED = "CANCELLED"
    ENDED = "ENDED"
    DISPATCHED = "DISPATCHED"
    RESCUED = "RESCUED"
    WAITING = "WAITING"
    FOUND = "FOUND"
    LOST = "LOST"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class Shown:
    """A turn as `show` in the prelude gives it."""

    turn_id: str
    record: Mapping[str, str]
    position: int
    ahead: str

    @classmethod
    def from_reply(cls, turn_id: str, reply: Sequence[Any]) -> Self:
        record, position, ahead = reply[:3]
        return cls(turn_id, _record(record), int(position), ahead.decode())


class Scripts:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._replicas = settings.replicas
        constants = render_constants(settings)
        self._scripts = {verb: client.register_script(render(verb, constants)) for verb in VERBS}

    def accept(
        self,
        turn_id: str,
        *,
        session: str,
        on_busy: str,
        idempotency_key: str,
        fingerprint: str,
        start_within_ms: int | None,
        session_id: str,
        user_id: str,
        record: Mapping[str, str],
    ) -> tuple[Reply, Shown | None]:
        """The word, and the turn that stands for this request: an earlier one if it was replayed."""
        start_within = "" if start_within_ms is None else start_within_ms
        fixed = (turn_id, session, on_busy, idempotency_key, fingerprint, start_within, session_id, user_id)
        word, *shown = self._run("accept", *fixed, *_flat(record))
        return Reply(word), Shown.from_reply(shown[3].decode(), shown) if shown else None

    def claim(
        self, turn_id: str, *, token: str, worker: str, model: str, fallback_model: str
    ) -> tuple[Reply, dict[str, str], tuple[bytes, ...]]:
        """The word, the record and the messages; both are empty unless the word is CLAIMED."""
        word, *claimed = self._run("claim", turn_id, token, worker, model, fallback_model)
        if not claimed:
            return Reply(word), {}, ()
        return Reply(word), _record(claimed[0]), tuple(claimed[1])

    def renew(self, held: Sequence[tuple[str, str]]) -> list[tuple[str, Reply]]:
        """Takes turn ids with their tokens; returns the tokens of the runs to stop, with the reason."""
        return words(self._all("renew", *(part for pair in held for part in pair)))

    def emit(self, turn_id: str, *, token: str, entry_id: str, text: str) -> Reply:
        return self._word("emit", turn_id, token, entry_id, text)

    def commit(
        self, turn_id: str, *, token: str, question: str, answer: str, tail: str, record: Mapping[str, str]
    ) -> Reply:
        return self._word("commit", turn_id, token, question, answer, tail, *_flat(record))

    def interrupt(self, turn_id: str, *, token: str, question: str, answer: str, tail: str, output: str) -> Reply:
        return self._word("interrupt", turn_id, token, question, answer, tail, output)

    def fail(
        self,
        turn_id: str,
        *,
        token: str,
        code: str,
        retry_in_ms: int | None = None,
        counts: bool = True,
        model: str = "",
        pause_ms: int = 0,
    ) -> Reply:
        retry_in = "" if retry_in_ms is None else retry_in_ms
        return self._word("fail", turn_id, token, code, retry_in, int(counts), model, pause_ms)

    def release(self, turn_id: str, *, token: str) -> Reply:
        return self._word("release", turn_id, token)

    def cancel(self, turn_id: str) -> Reply:
        return self._word("cancel", turn_id)

    def rescue(self, *, worker: str, limit: int, hint: str) -> list[tuple[str, Reply]]:
        """What was looked at: turn ids and what was done."""
        return words(self._all("rescue", worker, limit, hint))

    def read(self, turn_id: str) -> Shown | None:
        word, *shown = self._run("read", turn_id)
        return Shown.from_reply(turn_id, shown) if Reply(word) is Reply.FOUND else None

    def _all(self, verb: str, *args: str | int) -> list[Any]:
        if not self._replicas or verb not in PROMISES:
            return cast(list[Any], self._scripts[verb](args=args))
        with self._client.on_one_connection() as one:  # WAIT speaks of the writes of its own connection
            reply = cast(list[Any], self._scripts[verb](args=args, client=one))
            reached = int(one.wait(self._replicas, REPLICATION_MS))
        if reached < self._replicas:
            raise StoreUnavailable(f"{reached} of {self._replicas} replicas have it")
        return reply

    def _run(self, verb: str, *args: str | int) -> list[Any]:
        word, *rest = self._all(verb, *args)
        return [word.decode(), *rest]

    def _word(self, verb: str, *args: str | int) -> Reply:
        return Reply(self._run(verb, *args)[0])


def render(verb: str, constants: str) -> str:
    """The text that Redis gets: shebang, constants, shared steps, the verb."""
    shebang, _, body = _source(verb).partition("\n")
    return "\n".join((shebang, constants, _source("prelude"), body))


def _source(name: str) -> str:
    return resources.files("turns").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def render_constants(settings: Settings) -> str:
    names = {name.lower(): key.name for name, key in vars(keys).items() if isinstance(key, keys.Key)}
    after = {status: {event: to for (frm, event), to in TRANSITIONS.items() if frm is status} for status in LIVE}
    policy = {
        "initial": INITIAL,
        "hint_placeholder": HINT_PLACEHOLDER,
        "turn_id_pattern": LUA_TURN_ID,
        "session_backlog": settings.session_backlog,
        "max_live_turns": settings.max_live_turns,
        "max_attempts": settings.max_attempts,
        "history_window": settings.history_window,
        "lease_ms": _ms(settings.lease_seconds),
        "beat_gap_ms": _ms(max(settings.lease_seconds / 2, 3 * settings.rescue_seconds)),
        "hint_grace_ms": _ms(settings.hint_grace_seconds),
        "result_ttl_ms": _ms(settings.result_ttl_seconds),
        "event_ttl_ms": _ms(settings.event_ttl_seconds),
        "session_ttl_ms": _ms(settings.session_ttl_seconds),
        "worker_ttl_ms": _ms(DEAD_WORKER_SECONDS),
    }
    return "\n".join(
        f"local {name} = {_lua(table)}" for name, table in (("KEY", names), ("AFTER", after), ("POLICY", policy))
    )


def _lua(value: object) -> str:
    """A Lua literal. Sorted, so that every process renders the same script and Redis caches one of it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_lua(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if "'" in text or "\\" in text:
        raise ValueError(f"{text!r} cannot stand in a Lua literal")
    return f"'{text}'"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _flat(fields: Mapping[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def words(flat: Iterable[bytes]) -> list[tuple[str, Reply]]:
    parts = [part.decode() for part in flat]
    return [(name, Reply(word)) for name, word in zip(parts[::2], parts[1::2], strict=True)]


def _record(flat: Iterable[bytes]) -> dict[str, str]:
    parts = [part.decode() for part in flat]
    return dict(zip(parts[::2], parts[1::2], strict=True))
