"""Two simulated hosts: network namespaces, and a cable between them that tests can unplug."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000  # <linux/sched.h>
FRONT, BACK = "inturn-front", "inturn-back"
FRONT_ADDRESS, BACK_ADDRESS = "10.77.0.1", "10.77.0.2"


def is_available() -> bool:
    """Return true with root and the `ip` command (package iproute2), which namespaces need."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Cable:
    """The network link between the two hosts."""

    def unplug(self) -> None:
        ip("-n", FRONT, "link", "set", "cable", "down")

    def plug_in(self) -> None:
        ip("-n", FRONT, "link", "set", "cable", "up")


@contextmanager
def two_hosts() -> Iterator[Cable]:
    """Create both hosts; inside, this thread and the processes that it starts run on the front one."""
    remove_hosts()
    for host in (FRONT, BACK):
        ip("netns", "add", host)
        ip("-n", host, "link", "set", "lo", "up")
    ip("link", "add", "cable", "netns", FRONT, "type", "veth", "peer", "name", "cable", "netns", BACK)
    for host, address in ((FRONT, FRONT_ADDRESS), (BACK, BACK_ADDRESS)):
        ip("-n", host, "addr", "add", f"{address}/24", "dev", "cable")
        ip("-n", host, "link", "set", "cable", "up")
    try:
        with on_host(FRONT):
            yield Cable()
    finally:
        remove_hosts()


def remove_hosts() -> None:
    for host in (FRONT, BACK):
        subprocess.run(["ip", "netns", "del", host], check=False, capture_output=True)


@contextmanager
def on_host(name: str) -> Iterator[None]:
    """Inside, this thread opens sockets and starts processes on that host."""
    with Path("/proc/thread-self/ns/net").open("rb") as home, Path(f"/run/netns/{name}").open("rb") as target:
        _enter(target.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")
