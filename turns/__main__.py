"""Manage the store: `python -m turns keys …`, `python -m turns users …` and `python -m turns move …`.

The command accesses the store directly, because the first key cannot be requested over HTTP.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from turns.access.api_key import ApiKey, Scope
from turns.access.api_keys import KEY_CACHE_SECONDS, ApiKeyStore
from turns.access.audit_log import Act, AuditLog
from turns.access.key_record import KeyRecord
from turns.backend.client import Client
from turns.backend.installation import check_agreement, check_not_moving
from turns.backend.opening import check_store_or_exit, connect
from turns.backend.partition.placement import Partitions
from turns.backend.script_replies import Reply
from turns.config import commands
from turns.config.environment import settings_or_exit
from turns.config.settings import Settings
from turns.config.store_url import CLUSTER_SCHEME
from turns.domain.errors import ConfigurationError, KeyNotFound, StoreUnavailable
from turns.domain.ids import DEFAULT_TENANT, NAME_RULE, is_name, session_key
from turns.file_history.session_store import open_session_store
from turns.move.command import add_arguments, run_move
from turns.move.stopping import MoveFailed
from turns.store.partitioned.sessions import CANNOT_ADOPT
from turns.store.sessions import SessionStore
from turns.users.commands import add_commands

DAY_SECONDS = 86_400
ADOPT = f"{commands.INTURN} keys adopt"
LOCKED = f"No valid API key exists, so every request is refused. To open the service, create one: {commands.CREATE_KEY}"


@dataclass(frozen=True, slots=True)
class Service:
    """The store, and the record of keys in the data directory if the store is the embedded one."""

    settings: Settings
    client: Client
    record: KeyRecord | None

    @property
    def api_keys(self) -> ApiKeyStore:
        return ApiKeyStore(self.client)

    @property
    def sessions(self) -> SessionStore:
        return open_session_store(self.client, self.settings)


def main() -> int:
    options = _parser().parse_args()
    settings = settings_or_exit()
    url = settings.store_url
    record = None if settings.redis_url else KeyRecord(settings.data_dir)
    check_store_or_exit(url)
    try:
        client = connect(url, timeout_seconds=3, retries=0, max_connections=1)
        if output := options.run(Service(settings, client, record), options):
            print(output)
    except (ValueError, ConfigurationError) as error:
        return _failed(str(error), 2)
    except StoreUnavailable as error:
        return _failed(str(error) if error.refused else _no_answer(url), 3)
    except MoveFailed as error:
        return _failed(str(error), 1)
    return 0


def _parser() -> argparse.ArgumentParser:
    description = "Manage the API keys and the erased users of this service, or move it into a Redis Cluster."
    parser = argparse.ArgumentParser(prog="python -m turns", description=description)
    commands_of_store = parser.add_subparsers(required=True)
    partition = commands_of_store.add_parser("partition", help="print how the names of a session's keys begin")
    partition.add_argument("session", help="id of the session")
    partition.add_argument("--user", help="id of its user")
    partition.add_argument("--tenant", default=DEFAULT_TENANT, help="its tenant, if it has one")
    partition.set_defaults(run=_name_partition)
    users = commands_of_store.add_parser("users", help="list the erased users, and erase them again after a restore")
    add_commands(users)
    users.set_defaults(run=lambda service, options: options.run_users(service.client, service.settings, options))
    move = commands_of_store.add_parser("move", help="move everything into an empty Redis Cluster, or back again")
    add_arguments(move)
    move.set_defaults(run=lambda service, options: run_move(service.settings, options))
    _add_key_commands(commands_of_store.add_parser("keys", help="create, list and revoke API keys"))
    return parser


def _add_key_commands(parser: argparse.ArgumentParser) -> None:
    subcommands = parser.add_subparsers(required=True)
    create = subcommands.add_parser("create", help="create a key and print it; it cannot be printed again")
    create.add_argument("tenant", help="tenant whose turns and sessions the key gives access to")
    create.add_argument(
        "--scopes", default=Scope.TURNS, help=f"comma-separated list of {', '.join(Scope)} (default: %(default)s)"
    )
    create.add_argument("--days", type=_days, help="days until the key expires (default: it never expires)")
    create.add_argument("--label", default="", help="what the key is for, shown in lists of keys")
    create.add_argument("--adopt", action="store_true", help="then give the sessions without a tenant to this one")
    create.set_defaults(run=_create)
    adopt = subcommands.add_parser("adopt", help="give the sessions that were stored without a key to a tenant")
    adopt.add_argument("tenant", help="tenant whose keys give access to them from then on")
    adopt.set_defaults(run=_adopt)
    subcommands.add_parser("list", help="list the keys, with those that ended within 90 days").set_defaults(run=_list)
    revoke = subcommands.add_parser("revoke", help="revoke a key; takes effect within two seconds")
    revoke.add_argument("id", help="id of the key, as in the list")
    revoke.set_defaults(run=_revoke)


def _name_partition(service: Service, options: argparse.Namespace) -> str:
    """Return the prefix of the keys of a session, which LangChain's class needs to read its history."""
    if not service.settings.partitions:
        raise ValueError("REDIS_URL names no Redis Cluster, so there are no partitions")
    session = session_key(options.session, options.user, options.tenant)
    number = Partitions.of(service.settings).of_session(session)
    return service.client.partitions[number].declared_keys[0]


def _days(text: str) -> float:
    if not 0 < (days := float(text)) < math.inf:
        raise argparse.ArgumentTypeError("must be more than 0")
    return days


def _create(service: Service, options: argparse.Namespace) -> str:
    check_not_moving(service.client)
    scopes, is_first = _scopes(options.scopes), not service.api_keys.has_keys()
    if options.adopt:
        _check_adopting(service, options.tenant)
    if is_first:
        sys.stderr.write(_first_key_notice(service.sessions.count_sessions(), options))
    secret, api_key = service.api_keys.create_key(
        options.tenant,
        scopes,
        lifetime_seconds=None if options.days is None else options.days * DAY_SECONDS,
        label=options.label,
    )
    _audit(service, Act(action="create_key", what=api_key.id, target_tenant=api_key.tenant, details=api_key.details))
    if record := service.record:
        _write_record(record.require_keys, "an empty store would serve everyone without a key")
    sys.stderr.write(f"{_describe(api_key)}\nStore this key now; it cannot be displayed again:\n")
    if not options.adopt:
        return secret
    print(secret, flush=True)
    if is_first:
        time.sleep(KEY_CACHE_SECONDS)  # until then an endpoint may accept turns without a key
    return _adopt(service, options)


def _first_key_notice(sessions: int, options: argparse.Namespace) -> str:
    notice = "This is the first API key: from now on, each request needs one."
    if sessions and options.adopt:
        notice += f" The sessions stored so far ({sessions}) go to the tenant {options.tenant}."
    elif sessions:
        notice += (
            f" The sessions stored so far ({sessions}) belong to no tenant, so no key of {options.tenant} reads them; "
            f"to give them to it: {ADOPT} {options.tenant}"
        )
    return f"{notice}\n"


def _scopes(names: str) -> list[Scope]:
    known = set(Scope)
    for name in (scopes := [name.strip() for name in names.split(",")]):
        if name not in known:
            raise ValueError(f"scopes: {name!r} is not one of {', '.join(Scope)}")
    return [Scope(name) for name in scopes]


def _adopt(service: Service, options: argparse.Namespace) -> str:
    tenant = options.tenant
    _check_adopting(service, tenant)
    if not service.api_keys.has_keys():
        raise ValueError(f"No API key exists yet: {commands.INTURN} keys create {tenant} --local --adopt")
    outcomes = service.sessions.adopt_all(tenant=tenant)
    adopted = Act(
        action="adopt_sessions", what=tenant, target_tenant=tenant, details={"count": outcomes[Reply.ADOPTED]}
    )
    _audit(service, adopted)
    lines = [f"Sessions given to the tenant {tenant}: {outcomes[Reply.ADOPTED]}"]
    if left := outcomes[Reply.SESSION_BUSY] + outcomes[Reply.LOST]:
        lines.append(f"Left, because they have live turns: {left}; when these have ended, run: {ADOPT} {tenant}")
    if taken := outcomes[Reply.NOT_EMPTY]:
        lines.append(f"Left, because {tenant} has sessions with the same ids: {taken}")
    if broken := outcomes[Reply.BROKEN]:
        lines.append(f"Left, because the files of their histories cannot be read: {broken}")
    return "\n".join(lines)


def _check_adopting(service: Service, tenant: str) -> None:
    if not is_name(tenant):
        raise ValueError(f"tenant: {NAME_RULE}")
    if service.settings.partitions:
        raise ConfigurationError(CANNOT_ADOPT)
    check_agreement(service.client, service.settings)  # otherwise the histories would stay behind


def _list(service: Service, _options: argparse.Namespace) -> str:
    found = list(service.api_keys.list_all())
    if not any(key.is_active for key in found):
        has_keys = service.api_keys.has_keys()
        sys.stderr.write(f"{LOCKED}\n" if has_keys else "No API key exists, and requests need none.\n")
    return "\n".join(map(_describe, found))


def _revoke(service: Service, options: argparse.Namespace) -> str:
    check_not_moving(service.client)
    try:
        key = service.api_keys.revoke_key(options.id)
    except KeyNotFound:
        raise ValueError(f"there is no key {options.id}") from None
    _audit(service, Act(action="revoke_key", what=key.id, target_tenant=key.tenant))
    if record := service.record:
        _write_record(lambda: record.add_revoked(options.id), "a restored backup would accept the key again")
    if not service.api_keys.list_keys():
        sys.stderr.write(f"This was the last one. {LOCKED}\n")
    return f"{options.id} is revoked"


def _audit(service: Service, act: Act) -> None:
    """Record the act, or warn: the store has already changed, so the command goes on."""
    try:
        AuditLog(service.client).append(act)
    except StoreUnavailable as error:
        sys.stderr.write(f"Warning: {error}; the audit log does not have this.\n")


def _write_record(write: Callable[[], None], consequence: str) -> None:
    """Write to the data directory, or warn: the store has already changed, so the command goes on."""
    try:
        write()
    except OSError as error:
        sys.stderr.write(f"Warning: {error}; {consequence}.\n")


def _describe(key: ApiKey) -> str:
    expires = "until revoked" if key.expires_at is None else f"until {_minute(key.expires_at)}"
    ended = "" if key.is_active else f"  {key.state}"
    label = f"  {key.label}" if key.label else ""
    scopes = ",".join(sorted(key.scopes))
    return f"{key.id}  {key.tenant}  {scopes}  since {_minute(key.created_at)}  {expires}{ended}{label}"


def _minute(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="minutes")


def _no_answer(url: str) -> str:
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # without credentials
    start = "start it first" if parts.scheme == CLUSTER_SCHEME else f"start it first ({commands.UP})"
    return f"The store does not answer at {address}; {start}, or set REDIS_URL."


def _failed(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
