"""Create, list and revoke API keys in the store: `python -m turns keys …`.

The command accesses the store directly, because the first key cannot be requested over HTTP.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from turns.backend.client import check_store_or_exit, connect
from turns.config import commands
from turns.config.settings import settings_or_exit
from turns.domain.errors import StoreUnavailable
from turns.store.api_keys import ApiKey, ApiKeyStore, Scope
from turns.store.key_record import KeyRecord

DAY_SECONDS = 86_400


def main() -> int:
    options = _parser().parse_args()
    settings = settings_or_exit()
    url = settings.store_url
    record = None if settings.redis_url else KeyRecord(settings.data_dir)
    check_store_or_exit(url)
    try:
        print(options.run(ApiKeyStore(connect(url, timeout_seconds=3, retries=0, max_connections=1)), record, options))
    except ValueError as error:
        return _failed(str(error), 2)
    except StoreUnavailable as error:
        return _failed(str(error) if error.refused else _no_answer(url), 3)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m turns", description="Manage the API keys of this service.")
    keys = parser.add_subparsers(required=True).add_parser("keys", help="create, list and revoke API keys")
    commands = keys.add_subparsers(required=True)
    create = commands.add_parser("create", help="create a key and print it; it cannot be printed again")
    create.add_argument("tenant", help="tenant whose turns and sessions the key gives access to")
    create.add_argument(
        "--scopes", default=Scope.TURNS, help=f"comma-separated list of {', '.join(Scope)} (default: %(default)s)"
    )
    create.add_argument("--days", type=float, help="days until the key expires (default: it never expires)")
    create.set_defaults(run=_create)
    commands.add_parser("list", help="list all active keys").set_defaults(run=_list)
    revoke = commands.add_parser("revoke", help="revoke a key; takes effect within five seconds")
    revoke.add_argument("id", help="id of the key, as in the list")
    revoke.set_defaults(run=_revoke)
    return parser


def _create(api_keys: ApiKeyStore, record: KeyRecord | None, options: argparse.Namespace) -> str:
    scopes = [Scope(name.strip()) for name in options.scopes.split(",")]
    secret, api_key = api_keys.create_key(
        options.tenant, scopes, lifetime_seconds=None if options.days is None else options.days * DAY_SECONDS
    )
    if record:
        _write_record(record.require_keys, "an empty store would serve everyone without a key")
    sys.stderr.write(f"{_describe(api_key)}\nStore this key now; it cannot be displayed again:\n")
    return secret


def _list(api_keys: ApiKeyStore, _record: KeyRecord | None, _options: argparse.Namespace) -> str:
    return "\n".join(map(_describe, api_keys.list_keys()))


def _revoke(api_keys: ApiKeyStore, record: KeyRecord | None, options: argparse.Namespace) -> str:
    if not api_keys.revoke_key(options.id):
        raise ValueError(f"there is no key {options.id}")
    if record:
        _write_record(lambda: record.add_revoked(options.id), "a restored backup would accept the key again")
    return f"{options.id} is revoked"


def _write_record(write: Callable[[], None], consequence: str) -> None:
    """Write to the data directory, or warn: the store has already changed, so the command goes on."""
    try:
        write()
    except OSError as error:
        sys.stderr.write(f"Warning: {error}; {consequence}.\n")


def _describe(key: ApiKey) -> str:
    expires = "until revoked" if key.expires_at is None else f"until {_minute(key.expires_at)}"
    return f"{key.id}  {key.tenant}  {','.join(sorted(key.scopes))}  since {_minute(key.created_at)}  {expires}"


def _minute(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="minutes")


def _no_answer(url: str) -> str:
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # without credentials
    return f"The store does not answer at {address}; start it first ({commands.UP}), or set REDIS_URL."


def _failed(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
