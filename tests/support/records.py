"""Records as the store would give them."""

from turns.domain.state import Status


def record(status: Status) -> dict[str, str]:
    """With what each turn has, and no more."""
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
