"""Keep the threads of an app without a store from logging while other tests capture the log."""

from collections.abc import Iterator

import pytest

from turns.access.key_uses import KeyUses
from turns.jobs.runner import JobRunner
from turns.processes.reporter import Reporter


@pytest.fixture(autouse=True, scope="package")
def no_threads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patches:
        for kind in (KeyUses, JobRunner, Reporter):
            patches.setattr(kind, "start", lambda _: None)
        yield
