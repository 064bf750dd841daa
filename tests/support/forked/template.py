"""`python -m tests.support.forked.template KIND`: import the modules of a kind of process, and fork it on request.

Each line of standard input is a request, and each line of standard output its reply, both JSON. The process ends at the
end of its input. A fork runs `python -m MODULE` as a new process would, in its own session.
"""

import gc
import json
import os
import runpy
import sys
import traceback
from collections.abc import Mapping
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
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reply = _poll(request["poll"]) if "poll" in request else _fork(request)
        os.write(1, json.dumps([request["number"], reply]).encode() + b"\n")


def _poll(pid: int) -> int | None:
    """Return the exit code of a fork, which is negative for a signal, or None if it still runs."""
    ended, status = waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _fork(request: Mapping[str, Any]) -> int:
    pid = fork()
    if pid == 0:
        os._exit(_run(**request))
    return pid


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
