"""Find ports of this machine that no program uses."""

import itertools
import random
import socket

# Below the ports of outgoing connections; one of those could take the port between its choice and its use.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return this many free ports, or as many as there are."""
    return list(itertools.islice(filter(is_free, random.sample(PORTS, len(PORTS))), count))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
