"""The Celery baseline as processes, with the interface of the product's stack."""

from tests.support.processes import Process, Stack


class Baseline(Stack):
    def start_web(self) -> Process:
        return self._process("tests.chaos.baseline.endpoint")

    def start_worker(self) -> Process:
        name = f"-n{len(self.started)}@%h"
        self.started.append(name)
        options = ("--pool=threads", "--concurrency=20", "--loglevel=warning", name)
        return self._process("celery", "-A", "tests.chaos.baseline.thirty_lines", "worker", *options)

    @property
    def started(self) -> list[str]:
        """The node names used so far; Celery treats two nodes with the same name as one."""
        return self.__dict__.setdefault("_started", [])  # type: ignore[no-any-return]  # `setdefault` creates a list of names
