"""The commands `python -m turns users …`: list the tombstones of erased users, and erase these users again."""

import argparse
import json
import sys
from typing import Any

from turns.backend.client import Client
from turns.backend.installation import check_agreement
from turns.config.settings import Settings
from turns.domain.ids import NAME_RULE, is_id, is_name
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.usage.store import UsageStore
from turns.users.erasures import UserErasures

STEP_SECONDS = 60.0


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands; each sets `run_users`, which returns the text to print."""
    subcommands = parser.add_subparsers(required=True)
    tombstones = subcommands.add_parser("tombstones", help="list the users that were erased within 400 days, as JSON")
    tombstones.set_defaults(run_users=_list_tombstones)
    again = subcommands.add_parser("erase-again", help="erase the users of such a list, in a store that was restored")
    again.add_argument("file", type=argparse.FileType(encoding="utf-8"), help="the list, or - for stdin")
    again.set_defaults(run_users=erase_again)


def open_erasures(client: Client, settings: Settings) -> UserErasures:
    sessions, turns = open_session_store(client, settings), open_turn_store(client, settings)
    return UserErasures(client, sessions, turns, UsageStore(client, settings))


def _list_tombstones(client: Client, settings: Settings, _options: argparse.Namespace) -> str:
    found = open_erasures(client, settings).list_tombstones()
    return "\n".join(
        json.dumps({"tenant": one.tenant, "user_id": one.user_id, "requested_at": one.requested_at}) for one in found
    )


def erase_again(client: Client, settings: Settings, options: argparse.Namespace) -> str:
    users = [_parse(number, line) for number, line in enumerate(options.file, start=1) if line.strip()]
    check_agreement(client, settings)  # otherwise the files of histories would stay
    erasures, sessions = open_erasures(client, settings), 0
    for tenant, user_id in users:
        while not (erasure := erasures.erase(user_id, tenant=tenant, seconds=STEP_SECONDS)).is_complete:
            sys.stderr.write(f"{user_id}: {erasure.sessions} sessions so far\n")
        sessions += erasure.sessions
    return f"Users: {len(users)}, with {sessions} sessions"


def _parse(number: int, line: str) -> tuple[str, str]:
    """Return the tenant and the user of a line. Raises `ValueError`."""
    try:
        item: Any = json.loads(line)
        tenant, user_id = item["tenant"], item["user_id"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"line {number}: must be an object with tenant and user_id, as in the list") from None
    if not (isinstance(tenant, str) and (tenant == "-" or is_name(tenant))):
        raise ValueError(f"line {number}: tenant: {NAME_RULE}")
    if not (isinstance(user_id, str) and is_id(user_id)):
        raise ValueError(f"line {number}: user_id: must be the id of a user")
    return tenant, user_id
