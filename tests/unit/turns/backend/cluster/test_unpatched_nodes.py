from types import SimpleNamespace
from typing import Any

import pytest

from turns.backend.address import parse_store_url
from turns.backend.cluster.unpatched_nodes import UnpatchedNodes
from turns.domain.errors import StoreUnavailable

MODULE = "turns.backend.cluster.unpatched_nodes"


def test_a_node_is_tried_again_however_often_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tried_at = [0.0], []

    class Connection:
        """A connection to a node that does not answer."""

        def __init__(self, **_: Any) -> None:
            tried_at.append(now[0])

        def call(self, *_: Any) -> None:
            raise ConnectionRefusedError

        def close(self) -> None:
            """Do nothing."""

    monkeypatch.setattr(f"{MODULE}.UnpatchedConnection", Connection)
    monkeypatch.setattr(f"{MODULE}.time", SimpleNamespace(monotonic=lambda: now[0]))
    nodes = UnpatchedNodes(parse_store_url("rediscluster://127.0.0.1:1"), timeout_seconds=0.1)
    for step in range(10):
        now[0] = step * 0.5
        with pytest.raises(StoreUnavailable):
            nodes.run_script(0, "text")
    assert tried_at == [0.0, 1.0, 2.0, 3.0, 4.0]
