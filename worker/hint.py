"""The hint: Celery's message for the task `run_turn`, as text.

The broker's queue is a Redis list, to which kombu pushes with LPUSH. The scripts that make a turn the head of its
session push its hint in the same atomic step. The text is rendered once by Celery itself, with a placeholder for the
turn's id, so that this project does not depend on the format of the message.
"""

from typing import Any

from celery import Celery
from kombu import Connection
from kombu.utils.json import dumps

from turns.backend.script_loader import HINT_PLACEHOLDER


def render_hint(app: Celery, task_name: str) -> str:
    """Return the text that `apply_async(task_id=…)` of this application would push to the broker's list."""
    with Connection("memory://") as connection:
        queue = app.amqp.queues[app.conf.task_default_queue](connection.channel())
        queue.declare()
        app.send_task(task_name, task_id=HINT_PLACEHOLDER, connection=connection, ignore_result=True)
        virtual_message: Any = queue.get(no_ack=True)
        message = virtual_message.serializable()
    # The consumer identifies unacknowledged messages by this tag, so it must differ from hint to hint.
    message["properties"]["delivery_tag"] = HINT_PLACEHOLDER
    return dumps(message)
