"""The tenants that have, or have had, an API key."""

from typing import cast

from turns.backend import keys
from turns.backend.client import Client


def list_key_tenants(client: Client, *, max_keys: int) -> set[str]:
    """Return the tenants of the newest API keys, also of keys that were revoked or expired within the last 90 days.

    Keys of an earlier release have no other record than their credential. Raises `StoreUnavailable`.
    """
    key_ids = cast(list[bytes], client.zrevrange(keys.API_KEYS.name, 0, max_keys - 1))
    names = [family(key_id.decode()) for key_id in key_ids for family in (keys.KEY_INFO, keys.API_KEY)]
    return {record["tenant"] for record in client.read_hashes(names, ["tenant"]) if "tenant" in record}
