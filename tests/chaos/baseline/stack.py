"""The thirty lines as processes, to be driven as the product is."""

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
        """Names given so far: two nodes of one name would be taken for one."""
        return self.__dict__.setdefault("_started", [])  # type: ignore[no-any-return]  # a list of names, made here
