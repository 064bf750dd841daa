"""A primary, a replica and three Sentinels that act as one store."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import redis

from inturn.testing.ports import free_ports
from supervisor.embedded_store import server_program
from tests.support.server import DURABLE, Server
from tests.support.waiting import wait_until

SERVICE = "inturn"
# With less, Sentinels on a busy machine depose the new primary before they have connected to it.
DOWN_AFTER_MS = 3000
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
    """A replicated store; `raw` is connected to the current primary."""

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
        wait_until("the replica is online", self._is_replica_online)
        self._sentinels = [self._start_sentinel(port) for port in self._sentinel_ports]
        wait_until("the Sentinels know the replica", self._are_watching)

    def cut_off_replica(self) -> None:
        """Stop the replication; the replica keeps what its socket has already received."""
        self._replica.freeze()
        self._primary.raw.client_kill_filter(_type="replica")

    def fail_over(self) -> None:
        """Kill the primary, wait until the replica is promoted, and start the old primary as its replica."""
        self._primary.kill()
        self._replica.thaw()
        self.raw = self._replica.raw
        promoted = {self._replica_port}
        wait_until("all Sentinels name the new primary", lambda: self._named_primaries() == promoted, seconds=60)
        self._primary.start("--replicaof", "127.0.0.1", str(self._replica_port))

    def kill(self) -> None:
        self._primary.kill()

    def signal(self, number: signal.Signals) -> None:
        self._primary.signal(number)

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
        return subprocess.Popen([str(server_program()), str(file), "--sentinel", "--logfile", str(log)])

    def _is_replica_online(self) -> bool:
        return bool(self.raw.info("replication").get("slave0", {}).get("state") == "online")

    def _are_watching(self) -> bool:
        """Return true if the log of each Sentinel names the replica and all other Sentinels."""
        paths = [self._directory / f"sentinel-{port}.log" for port in self._sentinel_ports]
        logs = [path.read_text(encoding="utf-8") if path.exists() else "" for path in paths]
        return all("+slave slave" in log and log.count("+sentinel sentinel") >= SENTINELS - 1 for log in logs)

    def _named_primaries(self) -> set[int]:
        """Return the ports that the Sentinels name as the primary's."""
        sentinels: list[Any] = [redis.Redis(port=port) for port in self._sentinel_ports]
        return {sentinel.sentinel_get_master_addr_by_name(SERVICE)[1] for sentinel in sentinels}
