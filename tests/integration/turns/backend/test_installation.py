"""Test which processes may share a store."""

from pathlib import Path

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.installation import SCHEMA, check_agreement, join, join_or_exit
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError


def test_a_second_process_with_equal_settings_joins(client: Client, settings: Settings, server: Server) -> None:
    join(client, settings)
    join(client, settings)
    assert server.raw.hmget(keys.SERVICE.name, "schema", "history") == [str(SCHEMA).encode(), b"redis"]


def test_another_kind_of_history_is_refused(client: Client, settings: Settings, tmp_path: Path) -> None:
    in_files = settings.model_copy(update={"history": f"file:{tmp_path}"})
    join(client, settings)
    with pytest.raises(
        ConfigurationError, match=r"^INTURN_HISTORY: .* in the store \(redis\), .* in files \(file:DIR\)"
    ):
        join(client, in_files)


def test_files_cannot_be_joined_by_the_store(client: Client, settings: Settings, tmp_path: Path) -> None:
    join(client, settings.model_copy(update={"history": f"file:{tmp_path}"}))
    with pytest.raises(ConfigurationError, match="INTURN_NAMESPACE"):
        check_agreement(client, settings)


def test_a_newer_schema_is_refused_in_one_line(
    settings: Settings, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    server.raw.hset(keys.SERVICE.name, "schema", SCHEMA + 1)
    with pytest.raises(SystemExit) as exited:
        join_or_exit(settings.model_copy(update={"redis_url": server.url}))
    assert exited.value.code == 2
    [_, reason] = capfd.readouterr().err.splitlines()
    assert reason.startswith(
        f"The store was written by a newer release (schema {SCHEMA + 1}; this release knows {SCHEMA})"
    )


def test_an_older_schema_is_raised(client: Client, settings: Settings, server: Server) -> None:
    server.raw.hset(keys.SERVICE.name, "schema", SCHEMA - 1)
    join(client, settings)
    assert server.raw.hget(keys.SERVICE.name, "schema") == str(SCHEMA).encode()


def test_a_store_that_refuses_writes_is_still_compared(client: Client, settings: Settings, server: Server) -> None:
    join(client, settings)
    server.raw.replicaof("127.0.0.1", 1)
    try:
        join(client, settings)
        with pytest.raises(ConfigurationError):
            join(client, settings.model_copy(update={"history": "file:x"}))
    finally:
        server.raw.replicaof("no", "one")


def test_a_store_that_does_not_answer_is_not_checked(settings: Settings) -> None:
    join_or_exit(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))


def test_a_key_of_another_type_stops_no_process(client: Client, settings: Settings, server: Server) -> None:
    server.raw.set(keys.SERVICE.name, "foreign")
    join(client, settings)
    assert server.raw.get(keys.SERVICE.name) == b"foreign"
