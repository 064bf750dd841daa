"""The supervisor starts chain workers as soon as an assistant has a custom chain, and stops after each signal."""

import threading
from pathlib import Path

import pytest

from inturn.testing.ports import free_ports
from supervisor import machine
from supervisor.machine import Machine, Stop
from turns.config.settings import Settings

CUSTOM = '[assistants.default]\n[assistants.rag]\nchain = "a:b"\n'


def test_chain_workers_start_when_an_assistant_needs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ASSISTANTS_SECONDS", 0)
    monkeypatch.chdir(tmp_path)
    [port] = free_ports(1)
    supervisor = Machine(Settings(redis_url="redis://127.0.0.1:1", port=port, chain_workers=2), threading.Event())
    assert supervisor.add_chain_workers_if_needed() == []
    (tmp_path / "assistants.toml").write_text("[assistants.default")
    assert supervisor.add_chain_workers_if_needed() == []
    (tmp_path / "assistants.toml").write_text(CUSTOM)
    added = supervisor.add_chain_workers_if_needed()
    assert [child.name for child in added] == ["chain worker 1", "chain worker 2"]
    assert supervisor.add_chain_workers_if_needed() == []
    supervisor.stop_store()  # removes the directory of the heartbeat files


def test_a_signal_stops_it_although_its_exception_was_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [port] = free_ports(1)
    is_stopping = threading.Event()
    supervisor = Machine(Settings(redis_url="redis://127.0.0.1:1", port=port), is_stopping)
    is_stopping.set()
    with pytest.raises(Stop):
        supervisor.run()
    supervisor.stop_store()
