"""`python -m turns keys …`: API keys, made where the store can be reached, because the first one cannot be asked for
over HTTP."""

import argparse
import sys
from datetime import UTC, datetime

from turns.backend.client import connect
from turns.config.settings import Settings, settings_or_exit
from turns.domain.errors import StoreUnavailable
from turns.store.api_keys import ApiKey, ApiKeyStore, Scope

DAY_SECONDS = 86_400


def main() -> int:
    options = _parser().parse_args()
    try:
        print(options.run(_keyring(settings_or_exit()), options))
    except ValueError as error:
        return _failed(str(error), 2)
    except StoreUnavailable as error:
        return _failed(f"{error}\nStart it (make up), or name it: REDIS_URL=…", 3)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m turns", description=__doc__)
    keys = parser.add_subparsers(required=True).add_parser("keys", help="API keys").add_subparsers(required=True)
    create = keys.add_parser("create", help="make a key, and show it this once")
    create.add_argument("tenant")
    create.add_argument("--scopes", default=Scope.TURNS, help=f"some of {','.join(Scope)} (default: %(default)s)")
    create.add_argument("--days", type=float, help="how long it works (default: until it is revoked)")
    create.set_defaults(run=_create)
    keys.add_parser("list", help="what is known of all keys").set_defaults(run=_list)
    revoke = keys.add_parser("revoke", help="end a key, within five seconds everywhere")
    revoke.add_argument("id")
    revoke.set_defaults(run=_revoke)
    return parser


def _keyring(settings: Settings) -> ApiKeyStore:
    return ApiKeyStore(connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=1))


def _create(api_keys: ApiKeyStore, options: argparse.Namespace) -> str:
    scopes = [Scope(name.strip()) for name in options.scopes.split(",")]
    api_key, made = api_keys.create_key(
        options.tenant, scopes, lives_seconds=None if options.days is None else options.days * DAY_SECONDS
    )
    sys.stderr.write(f"{_line(made)}\nIt is shown only now:\n")
    return api_key


def _list(api_keys: ApiKeyStore, _options: argparse.Namespace) -> str:
    return "\n".join(map(_line, api_keys.list_keys()))


def _revoke(api_keys: ApiKeyStore, options: argparse.Namespace) -> str:
    if not api_keys.revoke_key(options.id):
        raise ValueError(f"there is no key {options.id}")
    return f"{options.id} is revoked"


def _line(key: ApiKey) -> str:
    expires = "until revoked" if key.expires_at is None else f"until {_day(key.expires_at)}"
    return f"{key.id}  {key.tenant}  {','.join(sorted(key.scopes))}  since {_day(key.created_at)}  {expires}"


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="minutes")


def _failed(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
