"""Planted secrets and texts are in no log line and in no response to another caller."""

import json
from collections.abc import Callable

from tests.support.processes import Stack, call, turn_request

KEY = "sk-canary-4711"
TEXT = "xylophone-canary"
TEXTS = [
    "hello",
    "hello [fail 400]",
    "hello [fail 401]",
    "hello [fail 503 1]",
    "hello [raw html]",
    "hello [raw broken-json]",
    "hello [raw error-event]",
    "hello [cut x]",
    "hello [finish content_filter]",
]


def test_no_text_and_no_key_is_in_any_log_line_or_error(start: Callable[..., Stack]) -> None:
    stack = start(
        workers=1,
        OPENAI_API_KEY=KEY,
        INTURN_RETRY_SECONDS="0",
        INTURN_OUTAGE_PATIENCE_SECONDS="0",
        INTURN_LOG_LEVEL="info",
    )
    turns = [
        stack.submit(
            f"s{n}", f"{text} {TEXT}", metadata={"note": TEXT}, assistant="example", variables={"ability": TEXT}
        )
        for n, text in enumerate(TEXTS)
    ]
    ended = [stack.wait_until_finished(turn) for turn in turns]
    assert {turn["status"] for turn in ended} == {"completed", "failed"}
    for turn in ended:
        assert KEY not in json.dumps(turn)
        assert "scripted failure" not in json.dumps(turn["error"]), "the provider's own words"
    headers = {"Authorization": f"Bearer {KEY}", "X-Request-Id": f"{TEXT} {KEY}"}
    wrong_id = {"session_id": f"{TEXT} ", "input": KEY}
    for body in ({"inptu": TEXT}, wrong_id, turn_request("s", TEXT, assistant="unknown")):
        answer = call(f"{stack.url}/v1/turns", method="POST", body=body, headers=headers)
        assert answer.status in {400, 404}
        assert TEXT not in json.dumps(answer.body)
        assert KEY not in json.dumps(answer.body)
    logs = stack.logs()
    assert turns[0] in logs
    assert KEY not in logs
    assert TEXT not in logs
