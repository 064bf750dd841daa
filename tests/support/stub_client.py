"""A client of the store with prepared replies, for tests that need no server."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from turns.backend.client import Client


class StubClient:
    """Records commands by name and arguments, and returns the next reply to each of them."""

    declared_keys = Client.declared_keys
    partition_number = Client.partition_number

    def __init__(self, *replies: Any) -> None:
        self.commands: list[tuple[str, tuple[Any, ...]]] = []
        self._replies = list(replies)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def command(*args: Any, **_options: Any) -> Any:
            self.commands.append((name, args))
            return self._replies.pop(0)

        return command

    @property
    def partitions(self) -> list["StubClient"]:
        return [self]

    def gather(self, calls: Mapping[int, Callable[[], Any]]) -> dict[int, Any]:
        return {number: call() for number, call in calls.items()}

    @property
    def home(self) -> "StubClient":
        return self

    @property
    def as_client(self) -> Client:
        return cast(Client, self)

    @property
    def script_args(self) -> tuple[Any, ...]:
        """The arguments of the script that ran last."""
        name, (_digest, _key_count, *args) = self.commands[-1]
        assert name == "evalsha"
        return tuple(args)
