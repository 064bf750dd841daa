"""Test that the hint is identical to the message that the installed version of Celery writes."""

import json
from typing import Any

from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_loader import HINT_PLACEHOLDER
from turns.config.settings import Settings
from turns.domain.ids import new_turn_id
from worker.broker import build_celery
from worker.hint import render_hint
from worker.tasks import RUN_TURN

# These fields differ between messages or processes, and the consumer ignores them.
INCIDENTAL = {"delivery_tag", "origin", "reply_to"}


def test_a_hint_is_the_message_that_apply_async_writes(server: Server, settings: Settings) -> None:
    turn_id = new_turn_id()
    app = build_celery(settings, keys.HINTS.name)
    with app.connection_for_write() as connection:
        app.send_task(RUN_TURN, task_id=turn_id, connection=connection, ignore_result=True)
    written = json.loads(server.raw.rpop(keys.HINTS.name))
    rendered = json.loads(render_hint(app, RUN_TURN).replace(HINT_PLACEHOLDER, turn_id))
    assert _essence(rendered) == _essence(written)
    assert rendered["headers"]["id"] == rendered["properties"]["delivery_tag"] == turn_id


def _essence(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _essence(item) for name, item in value.items() if name not in INCIDENTAL}
    return value
