"""Turn records as the store returns them."""

from turns.domain.state import Status


def record(status: Status) -> dict[str, str]:
    """Return a record with only the fields that each turn has."""
    return {
        "session": "s",
        "session_id": "s",
        "sequence": "1",
        "status": status,
        "attempt": "1",
        "claims": "1",
        "assistant": "default",
        "input": "hello",
        "variables": "{}",
        "accepted_at": "0",
    }
