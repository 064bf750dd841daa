"""The HTTP endpoint of the Celery baseline, with the routes and fields that the driver needs."""

import os
import time
from typing import Any

import redis
from celery.result import AsyncResult
from flask import Flask, Response, jsonify, request

from tests.chaos.baseline.thirty_lines import STORE, answer, app
from turns.domain.messages import Message

web = Flask("baseline")
client: Any = redis.Redis.from_url(STORE)
STATUSES = {"SUCCESS": "completed", "FAILURE": "failed"}


@web.post("/v1/turns")
def submit() -> tuple[Response, int]:
    body = request.get_json()
    task = answer.delay(body["session_id"], body["input"])
    return jsonify(id=task.id, sequence=client.incr(f"sequence:{body['session_id']}")), 202


@web.get("/v1/turns/<task_id>")
def poll(task_id: str) -> Response:
    result: AsyncResult[str] = AsyncResult(task_id, app=app)
    status = STATUSES.get(result.state, "queued")
    return jsonify(id=task_id, status=status, finished_at=time.time() if result.ready() else None)


@web.get("/v1/sessions/<session_id>/messages")
def messages(session_id: str) -> Response:
    stored = reversed(client.lrange(f"message_store:{session_id}", 0, -1))
    found = [message for n, item in enumerate(stored, 1) if (message := Message.from_stored(n, item))]
    return jsonify(data=[{"role": message.role, "content": message.content} for message in found], after=None)


@web.get("/readyz")
def readyz() -> Response:
    replies = app.control.ping(timeout=1) or []
    return jsonify(live_workers=len(replies))


if __name__ == "__main__":
    web.run(port=int(os.environ["PORT"]), threaded=True)
