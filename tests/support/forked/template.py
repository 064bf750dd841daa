"""`python -m tests.support.forked.template KIND`: import the modules of a kind of process, and fork it on request.

Each line of standard input is a request, and each line of standard output its reply, both JSON. A fork runs
`python -m MODULE` as a new process would, in its own session. At the end of its input, also because the tests were
killed, the template kills the forks that still run, and ends.
"""

import gc
import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from os import fork, waitpid  # the functions of the system, which gevent later replaces in `os`
from types import MappingProxyType
from typing import Any

CELERY = ("celery.bin.celery", "celery.bin.worker", "celery.apps.worker", "celery.worker.components", "celery.events")
WORKER = ("worker.app", "kombu.transport.redis", "openai.resources.chat.completions", "httpcore2", *CELERY)
MODULES = MappingProxyType(
    {
        "web": ("turns.backend.installation", "web.server.gunicorn_server", "web.app"),
        "worker": ("turns.backend.installation", *WORKER, "celery.concurrency.gevent", "gevent.threadpool"),
        "worker --chains": ("turns.backend.installation", *WORKER, "celery.concurrency.thread"),
        "tests.support.scripted_model": ("tests.support.scripted_model",),
    }
)
PATCHED = frozenset({"web", "worker"})  # kinds in which gevent patches the standard library before all other imports


def main(kind: str) -> None:
    if kind in PATCHED:
        from gevent import monkey  # noqa: PLC0415

        monkey.patch_all()
    for module in MODULES[kind]:
        import_module(module)
    gc.collect()
    gc.freeze()  # otherwise each fork would copy the pages that its garbage collector visits
    forks = Forks()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reply = forks.poll(request["poll"]) if "poll" in request else forks.start(request)
        os.write(1, json.dumps([request["number"], reply]).encode() + b"\n")
    forks.kill()


class Forks:
    def __init__(self) -> None:
        self._codes: dict[int, int | None] = {}  # by process id; None while it runs

    def start(self, request: Mapping[str, Any]) -> int:
        pid = fork()
        if pid == 0:
            os._exit(_run(**request))
        self._codes[pid] = None
        return pid

    def poll(self, pid: int) -> int | None:
        """Return the exit code of a fork, which is negative for a signal, or None if it still runs."""
        if self._codes[pid] is None:
            ended, status = waitpid(pid, os.WNOHANG)
            self._codes[pid] = os.waitstatus_to_exitcode(status) if ended else None
        return self._codes[pid]

    def kill(self) -> None:
        for pid in [pid for pid in self._codes if self.poll(pid) is None]:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _run(*, arguments: list[str], log: str, environment: dict[str, str], number: int) -> int:
    """Run a module as `python -m` does, and return its exit code."""
    del number
    os.setsid()
    for descriptor, path, flags in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_APPEND)):
        os.dup2(os.open(path, flags), descriptor)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main(sys.argv[1])
