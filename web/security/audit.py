"""The audit of operators: each act is an event of the log and an entry in the store.

An act is recorded when it has happened, because its entry names the outcome; if the store then takes no entry, the act
stays done and the log has it. A disclosure of message text is recorded first: without its entry, no text is shown.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from flask import current_app, g, request

from turns.access.audit_log import Act, AuditLog, Outcome
from turns.config.logs import Log, get_logger
from turns.domain.errors import Forbidden, StoreUnavailable, Unauthenticated
from web.security.auth import OPERATOR_PATHS, WRONG_KEY, claimed_key_id

EXTENSION = "audit_log"  # the key in `Flask.extensions` under which an app has its `AuditLog`
SAMPLE_SECONDS = 60.0  # a process records one refusal of each kind in this time
MAX_KINDS = 1_000  # of refusals in the memory of a process; about 200 KB


def audit(action: str, what: str, *, tenant: str | None = None, reason: str = "", **more: int | str) -> None:
    """Record an act that has happened. `tenant` is that of `what`, which may be another one than the caller's."""
    try:
        audit_disclosure(action, what, tenant=tenant, reason=reason, **more)
    except StoreUnavailable as error:
        get_logger().error(Log.AUDIT_FAILED, action=action, what=what, error=str(error))


def audit_disclosure(action: str, what: str, *, tenant: str | None = None, reason: str = "", **more: int | str) -> None:
    """Record that the caller is about to read message text. Raises `StoreUnavailable`; then the text stays hidden."""
    act = Act(
        action=action,
        what=what,
        key_id=g.caller.key_id,
        tenant=g.caller.tenant,
        target_tenant=tenant,
        request_id=g.request_id,
        reason=reason,
        details=more,
    )
    record(_audit_log(), act)


def record(audit_log: AuditLog, act: Act) -> None:
    """Record an act, also one outside of a request, such as the end of a job. Raises `StoreUnavailable`."""
    given = {"target_tenant": act.target_tenant, "reason": act.reason}
    named = {name: value for name, value in given.items() if value}
    get_logger().info(
        Log.OPERATOR_ACTED, action=act.action, what=act.what, key_id=act.key_id, **named, **dict(act.details)
    )
    audit_log.append(act)


class RefusalAudit:
    """Records refused requests of one process: wrong keys, and acts that the scopes of a key do not allow.

    One of each kind is recorded in a minute, with the number of those since the one before it, because a caller that
    repeats a refused request must not load the store.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recorded_at: dict[tuple[str, ...], float] = {}
        self._skipped: dict[tuple[str, ...], int] = {}

    def record(self, error: Unauthenticated | Forbidden) -> None:
        """Record the refusal of the present request, unless one like it was recorded within the last minute."""
        if isinstance(error, Unauthenticated):
            if str(error) == WRONG_KEY:
                key_id = claimed_key_id(request.headers.get("Authorization"))
                # All wrong keys are one kind, because a guess may claim any id.
                self._sample(("wrong_key",), Act(action="wrong_key", what=_route(), key_id=key_id))
        elif request.path.startswith(OPERATOR_PATHS):
            key_id, what = g.caller.key_id, _route()
            act = Act(action="forbidden", what=what, key_id=key_id, tenant=g.caller.tenant)
            self._sample(("forbidden", key_id or "", what), act)

    def _sample(self, kind: tuple[str, ...], act: Act) -> None:
        now = self._clock()
        if now - self._recorded_at.get(kind, -SAMPLE_SECONDS) < SAMPLE_SECONDS:
            self._skipped[kind] = self._skipped.get(kind, 0) + 1
            return
        if len(self._recorded_at) >= MAX_KINDS:
            self._recorded_at.clear()
            self._skipped.clear()
        self._recorded_at[kind] = now
        _write_refusal(act, skipped=self._skipped.pop(kind, 0))


def _write_refusal(act: Act, *, skipped: int) -> None:
    details = {"skipped": skipped} if skipped else {}
    get_logger().warning(Log.REQUEST_REFUSED, action=act.action, what=act.what, key_id=act.key_id, **details)
    try:
        _audit_log().append(replace(act, request_id=g.request_id, details=details), outcome=Outcome.REFUSED)
    except StoreUnavailable as error:
        get_logger().error(Log.AUDIT_FAILED, action=act.action, what=act.what, error=str(error))


def _route() -> str:
    return f"{request.method} {path_template() or 'unknown path'}"


def path_template() -> str | None:
    """Return the path of the request with placeholders instead of ids, or None for an unknown path."""
    return request.url_rule.rule.replace("<", "{").replace(">", "}") if request.url_rule else None


def _audit_log() -> AuditLog:
    audit_log: AuditLog = current_app.extensions[EXTENSION]
    return audit_log
