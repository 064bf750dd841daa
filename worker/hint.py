"""The hint: Celery's message for the task `run_turn`, as text.

The broker's queue is a plain Redis list that kombu feeds with LPUSH, so the scripts that make a turn the head of its
session push its hint in the same atomic step. What they push is what Celery itself writes for our task: it is rendered
here, once, with a placeholder where the turn's id belongs, so that no line of ours knows the wire format.
"""

from celery import Celery
from kombu import Connection
from kombu.utils.json import dumps

from turns.backend import keys
from turns.backend.script_loader import HINT_PLACEHOLDER


def render_hint(app: Celery, task_name: str) -> str:
    """The text that `apply_async(task_id=…)` of this application would put on the broker's list."""
    with Connection("memory://") as connection:
        channel = connection.channel()
        queue = app.amqp.queues[keys.HINTS.name]
        queue(channel).declare()
        app.send_task(task_name, task_id=HINT_PLACEHOLDER, connection=connection, ignore_result=True)
        message = channel._get(keys.HINTS.name)  # type: ignore[attr-defined]  # of every virtual transport: its message, undecoded
    # The consumer tells unacknowledged messages apart by this tag, so it must differ from hint to hint.
    message["properties"]["delivery_tag"] = HINT_PLACEHOLDER
    return dumps(message)
