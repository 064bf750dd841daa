"""The drills of docs/operate/restore_and_erase.md: what a restored backup revives, and how it is erased again."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


def erase(stack: Stack, session_id: str) -> None:
    assert call(f"{stack.url}/v1/sessions/{session_id}", method="DELETE").status == 204
    assert call(f"{stack.url}/v1/sessions/{session_id}").status == 404


def restore(stack: Stack, backup: Path, files: Path) -> None:
    """Replace the files of the store by those of the backup, while no process runs."""
    for process in (stack.web, *stack.workers):
        process.kill()
    stack.store.stop()
    shutil.rmtree(files)
    shutil.copytree(backup, files)
    stack.store.start()
    stack.replace_dead()
    stack.wait_until_ready(workers=1)


def test_a_restored_backup_revives_what_the_drill_says(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=1)
    for session_id in ("kept", "erased"):
        stack.wait_until_finished(stack.submit(session_id, "hello"))
    kept, erased = stack.messages("kept"), stack.messages("erased")
    stack.wait_until_running(live := stack.submit("live", "hello [gate open]"))
    stack.store.raw.config_set("auto-aof-rewrite-percentage", 0)
    files = Path(stack.store.raw.config_get("dir")["dir"]) / "appendonlydir"
    backup = Path(shutil.copytree(files, tmp_path / "backup"))

    stack.open_gate("open")
    stack.wait_until_finished(live)
    late = stack.submit("kept", "hello again")
    stack.wait_until_finished(late)
    erase(stack, "erased")

    restore(stack, backup, files)
    assert call(f"{stack.url}/v1/turns/{late}").status == 404
    assert stack.messages("kept") == kept
    assert stack.messages("erased") == erased
    wait_until("the live turn has run again", lambda: stack.turn(live)["status"] == "completed", seconds=60)
    assert len(stack.model_requests("hello [gate open]")) == 2
    assert len(stack.messages("live")) == 2
    erase(stack, "erased")
