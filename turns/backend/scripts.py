"""The Lua scripts: one file, one typed method, one verb. Nothing else changes a turn.

Each script runs twice some day, because the Redis client asks again when a reply got lost; each gives the
same answer then. The contract of a script is the header of its file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any, cast

from redis.exceptions import NoScriptError

from turns.backend.client import Client
from turns.backend.script_loader import VERBS, render, render_constants
from turns.backend.script_replies import Reply, SessionSnapshot, TurnSnapshot, to_record, words
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.turn import Delta

# What somebody outside is told of: with `settings.replicas` they must hold it first.
PROMISES = frozenset({"accept", "commit", "interrupt", "fail", "cancel", "import_messages", "erase"})
REPLICATION_MS = 400  # below the least patient caller's timeout for an answer


class Scripts:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._replicas = settings.replicas
        constants = render_constants(settings)
        self._texts = {verb: render(verb, constants) for verb in VERBS}
        self._digests = {verb: _sha1(text) for verb, text in self._texts.items()}

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
        definition: str,
        record: Mapping[str, str],
    ) -> tuple[Reply, TurnSnapshot | None, int]:
        """The word, and the turn that stands for this request: an earlier one if it was replayed.

        Or, with a word of refusal, after how many milliseconds asking again makes sense, where that is known.
        """
        start_within = "" if start_within_ms is None else start_within_ms
        fixed = (
            turn_id,
            session,
            on_busy,
            idempotency_key,
            fingerprint,
            start_within,
            session_id,
            user_id,
            definition,
        )
        word, *shown = self._run("accept", *fixed, *_flat(record))
        if len(shown) < 5:
            return Reply(word), None, shown[0] if shown else 0
        return Reply(word), TurnSnapshot.from_reply(shown[4].decode(), shown), 0

    def claim(
        self, turn_id: str, *, token: str, worker: str, model: str, fallback_model: str
    ) -> tuple[Reply, dict[str, str], tuple[bytes, ...], str]:
        """The word, the record, the messages and the assistant's definition; all empty unless the word is CLAIMED."""
        word, *claimed = self._run("claim", turn_id, token, worker, model, fallback_model)
        if not claimed:
            return Reply(word), {}, (), ""
        record, written, messages, definition = claimed
        return Reply(word), to_record([*record, *written]), tuple(messages), definition.decode()

    def renew(self, held: Sequence[tuple[str, str]]) -> list[tuple[str, Reply]]:
        """Takes turn ids with their tokens; returns the tokens of the runs to stop, with the reason."""
        return words(self._all("renew", *(part for pair in held for part in pair)))

    def emit(self, pieces: Sequence[Delta]) -> list[tuple[str, Reply]]:
        """The tokens of the runs to stop, with the reason."""
        return words(self._all("emit", *(part for piece in pieces for part in astuple(piece))))

    def commit(
        self,
        turn_id: str,
        *,
        token: str,
        question: str,
        between: Sequence[str],
        answer: str,
        tail: str,
        record: Mapping[str, str],
    ) -> Reply:
        return self._word("commit", turn_id, token, question, answer, tail, len(between), *between, *_flat(record))

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

    def cancel(self, turn_id: str, *, tenant: str) -> Reply:
        return self._word("cancel", turn_id, tenant)

    def rescue(self, *, worker: str, limit: int, hint: str) -> list[tuple[str, Reply]]:
        """What was looked at: turn ids and what was done."""
        return words(self._all("rescue", worker, limit, hint))

    def get_turn(self, turn_id: str, *, tenant: str) -> TurnSnapshot | None:
        word, *shown = self._run("get_turn", turn_id, tenant)
        return TurnSnapshot.from_reply(turn_id, shown) if Reply(word) is Reply.FOUND else None

    def list_turns(
        self, *, tenant: str, session: str, after: str, score: str, status: str, limit: int, most: int
    ) -> tuple[tuple[str, str], list[TurnSnapshot]]:
        """The cursor, a turn and its score, both '' after the last page; and the turns."""
        _, (last, at), turns = self._run("list_turns", tenant, session, after, score, status, limit, most)
        return (last.decode(), at.decode()), [
            TurnSnapshot.from_reply(turn_id.decode(), shown) for turn_id, *shown in turns
        ]

    def get_session(self, session: str) -> SessionSnapshot | None:
        word, *shown = self._run("get_session", session)
        return SessionSnapshot.from_reply(shown[0]) if Reply(word) is Reply.FOUND else None

    def list_sessions(
        self, *, tenant: str, after: str, active_at: str, limit: int
    ) -> tuple[tuple[str, str], Sequence[SessionSnapshot]]:
        """The cursor, a session and its time, both '' after the last page; and the sessions."""
        _, (last, at), sessions = self._run("list_sessions", tenant, after, active_at, limit)
        return (last.decode(), at.decode()), [SessionSnapshot.from_reply(shown) for shown in sessions]

    def import_messages(
        self,
        session: str,
        *,
        session_id: str,
        user_id: str,
        digest: str,
        count: int,
        version: str,
        stored: Sequence[str],
    ) -> tuple[Reply, SessionSnapshot | None, int]:
        """The word, and the session; or, with a word of refusal, after how long (ms) it makes sense to ask again."""
        word, *shown = self._run("import_messages", session, session_id, user_id, digest, count, version, *stored)
        if Reply(word) in {Reply.IMPORTED, Reply.REPLAYED}:
            return Reply(word), SessionSnapshot.from_reply(shown[0]), 0
        return Reply(word), None, shown[0] if shown else 0

    def erase(self, session: str, *, most: int) -> Reply:
        return self._word("erase", session, most)

    def _all(self, verb: str, *args: str | int) -> list[Any]:
        if not self._replicas or verb not in PROMISES:
            return self._call(self._client, verb, args)
        with self._client.on_one_connection() as one:  # WAIT speaks of the writes of its own connection
            reply = self._call(one, verb, args)
            reached = int(one.wait(self._replicas, REPLICATION_MS))
        if reached < self._replicas:
            raise StoreUnavailable(f"{reached} of {self._replicas} replicas have it")
        return reply

    def _call(self, client: Client, verb: str, args: Sequence[str | int]) -> list[Any]:
        try:
            return cast(list[Any], client.evalsha(self._digests[verb], 0, *args))
        except NoScriptError:  # the store has been restarted
            return cast(list[Any], client.eval(self._texts[verb], 0, *args))

    def _run(self, verb: str, *args: str | int) -> list[Any]:
        word, *rest = self._all(verb, *args)
        return [word.decode(), *rest]

    def _word(self, verb: str, *args: str | int) -> Reply:
        return Reply(self._run(verb, *args)[0])


def _flat(fields: Mapping[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
