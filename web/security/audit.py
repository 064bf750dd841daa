"""What operators did, in the log."""

from flask import g

from turns.config.logs import Log, get_logger


def audit(action: str, what: str, **more: int) -> None:
    """The log says who did that, by the key."""
    get_logger().info(Log.OPERATOR_ACTED, action=action, what=what, key_id=g.caller.key_id, **more)
