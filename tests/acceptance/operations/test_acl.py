"""The users of `deploy/redis.acl` can do what their role needs, and nothing dangerous."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.support.processes import Stack, call
from tests.support.server import DURABLE, Server
from tools import ROOT

FORBIDDEN = ("FLUSHALL", "SHUTDOWN", "CONFIG SET dir /", "KEYS *", "GET secret", "ACL LIST")


class GuardedServer(Server):
    """A store with the shipped access rules, and another user for the tests."""

    def __init__(self, directory: Path) -> None:
        rules = directory / "users.acl"
        shipped = [line for line in (ROOT / "deploy" / "redis.acl").read_text(encoding="utf-8").splitlines() if line]
        kept = [line for line in shipped if not line.startswith("#")]
        rules.write_text("\n".join([*kept, "user tests on >tests ~* &* +@all", ""]), encoding="utf-8")
        super().__init__(directory, options=(*DURABLE, "--aclfile", str(rules)))
        self.raw.close()
        self.raw = redis.Redis(unix_socket_path=str(directory / "s.sock"), username="tests", password="tests")
        self.url = self.url_of("worker")

    def url_of(self, role: str) -> str:
        return f"unix://inturn-{role}:change-me-{role}@{self.socket}"


def test_each_role_can_work_and_no_more(start: Callable[..., Stack], tmp_path: Path) -> None:
    server = GuardedServer(tmp_path)
    stack = start(workers=1, store=server)
    stack.web.stop()
    stack.environment["REDIS_URL"] = server.url_of("web")
    stack.web = stack.start_web()
    stack.wait_until_ready(workers=1)
    turn = stack.submit("s", "hello [pace 0.02]")
    assert stack.wait_until_finished(turn)["status"] == "completed"
    assert len(stack.messages("s")) == 2
    assert call(f"{stack.url}/readyz").body["durability"] == "always"
    assert call(f"{stack.url}/operator/stats.json").body["recent"]["accepted"] == 1
    assert call(f"{stack.url}/v1/sessions/s", method="DELETE").status == 204
    for role in ("web", "worker"):
        with redis.Redis.from_url(server.url_of(role)) as client:
            for command in FORBIDDEN:
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command.split())
