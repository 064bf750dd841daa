"""Uploaded files on a real store and in a real directory, in which each test makes time pass."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.content.parts import Part, PartType, file_ids, text_of
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.files.blobs import DirectoryBlobs
from turns.files.partitioned import open_file_store
from turns.files.store import FileStore, StoredFile
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


@dataclass
class Scene:
    """The stores, and what callers, workers and time do to files."""

    store: TurnStore
    sessions: SessionStore
    files: FileStore
    blobs: DirectoryBlobs
    server: Server

    def upload(self, *, tenant: str = "-", user_id: str | None = None) -> StoredFile:
        return self.files.add(PNG, media_type="", name="cat.png", tenant=tenant, user_id=user_id)

    def ask(
        self,
        *files: StoredFile,
        session_id: str = "s",
        tenant: str = "-",
        user_id: str | None = None,
        regenerates: str | None = None,
    ) -> Turn:
        """Accept a turn with these files."""
        parts = [Part(type=PartType.TEXT, text="look")]
        parts += [Part(type=PartType.IMAGE, file_id=f.id, name=f.name, media_type=f.media_type) for f in files]
        request = TurnRequest(
            session_id=session_id,
            input=text_of(parts),
            parts=tuple(parts),
            tenant=tenant,
            user_id=user_id,
            regenerates=regenerates,
        )
        return self.store.accept(request).turn

    def claim(self, turn: Turn) -> Claim:
        claim = self.store.claim(turn.id, worker="w", model="m")
        assert claim
        return claim

    def answer(self, turn: Turn, *drawn: StoredFile) -> Turn:
        """Commit a turn; its answer has these files."""
        claim = self.claim(turn)
        asked, files = file_ids(claim.parts), tuple(file.id for file in drawn)
        question, reply = (json.dumps({"turn": turn.id, "files": ids}) for ids in (asked, files))
        answer = replace(answer_to(claim), question_message=question, answer_message=reply, files=files)
        self.store.commit(claim, answer, tail="")
        return turn

    def expire(self, turn: Turn) -> None:
        """Delete the record of an ended turn, as Redis does after the result retention."""
        self.server.raw.delete(keys.TURN(turn.id))

    def expire_session(self) -> None:
        """Delete the session, as Redis does after its retention."""
        self.server.raw.delete(keys.SESSION("s"), keys.HISTORY("s"))
        self.server.raw.zrem(keys.SESSIONS("-"), "s")

    def sweep(self) -> int:
        """Sweep as if the next check of each file were due; return the number of deleted files."""
        for file_id in self.server.raw.zrange(keys.FILES_DUE.name, 0, -1):
            self.server.raw.zadd(keys.FILES_DUE.name, {file_id: 1})
        return self.files.sweep()

    @property
    def kept(self) -> set[str]:
        """The ids of all files on the disk."""
        return set(self.blobs.list_ids())


@pytest.fixture
def scene(server: Server, client: Client, settings: Settings, store: TurnStore, tmp_path: Path) -> Scene:
    blobs = DirectoryBlobs(tmp_path / "files")
    return Scene(store, SessionStore(client, settings), open_file_store(client, settings, blobs), blobs, server)
