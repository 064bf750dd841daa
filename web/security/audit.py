"""The audit log of operators' actions."""

from flask import g

from turns.config.logs import Log, get_logger


def audit(action: str, what: str, **more: int | str) -> None:
    """Log the action with the id of the API key that was used."""
    get_logger().info(Log.OPERATOR_ACTED, action=action, what=what, key_id=g.caller.key_id, **more)
