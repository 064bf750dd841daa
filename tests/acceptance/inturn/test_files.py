"""The client and the command line upload files, and send turns with them."""

import asyncio
import base64
from pathlib import Path

import pytest

from inturn import AsyncClient, Client, FileInUse, FileNotFound, FileTypeRefused
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack, call

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = Path(tmp_path_factory.mktemp("files"))
    (directory / "assistants.toml").write_text("[assistants.default]\naccepts = ['text', 'image', 'file']\n")
    return {"INTURN_ASSISTANTS": str(directory / "assistants.toml"), "INTURN_FILES": f"file:{directory}/kept"}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    return path


def test_a_turn_with_an_uploaded_file(client: Client, stack: Stack, picture: Path) -> None:
    file = client.files.upload(picture)
    assert (file.name, file.media_type, file.size_bytes) == ("cat.png", "image/png", len(PNG))
    turn = client.turns.create("client", [{"type": "text", "text": "Look:"}, file.part]).wait(60).check()
    assert (turn.input, turn.input_parts[1]["file_id"]) == ("Look:\n[image: cat.png]", file.id)
    assert [block["type"] for block in stack.model_requests()[-1]["messages"][-1]["content"]] == ["text", "image_url"]
    [question, _] = client.sessions.messages("client")
    assert question.parts[1]["name"] == "cat.png"
    with pytest.raises(FileInUse):
        client.files.delete(file.id)


def test_a_file_is_read_and_deleted(client: Client) -> None:
    file = client.files.upload(PNG, name="a.png", user_id="alice")
    assert client.files.read(file.id, user_id="alice") == PNG
    with pytest.raises(FileNotFound):
        client.files.get(file.id)
    client.files.delete(file.id, user_id="alice")
    with pytest.raises(FileNotFound):
        client.files.read(file.id, user_id="alice")
    with pytest.raises(FileTypeRefused):
        client.files.upload(PNG, media_type="image/jpeg")


def test_a_file_of_a_session_is_a_part_of_its_turns(client: Client, stack: Stack) -> None:
    file = client.files.upload(PNG, name="a.png", session_id="of-file")
    client.turns.create("of-file", [{"type": "text", "text": "Look:"}, file.part]).wait(60).check()
    assert call(f"{stack.url}/v1/files/{file.id}/metadata?session_id=another").status == 404


async def upload_and_read(url: str) -> tuple[str, bytes]:
    async with AsyncClient(url) as client:
        file = await client.files.upload(PNG)
        content = await client.files.read(file.id)
        await client.files.delete(file.id)
        return file.sha256, content


def test_the_asynchronous_client_does_the_same(stack: Stack) -> None:
    sha256, content = asyncio.run(upload_and_read(stack.url))
    assert (len(sha256), content) == (64, PNG)


def test_the_command_line_sends_a_picture(inturn: Inturn, stack: Stack, picture: Path) -> None:
    assert inturn("send", "What is this?", "-s", "cli", "--image", str(picture), "--wait").returncode == 0
    assert stack.messages("cli")[0]["content"] == "What is this?\n[image: cat.png]"
    file_id = inturn("files", "upload", str(picture)).stdout.strip()
    assert "image/png" in inturn("files", "show", file_id).stdout
    copy = picture.with_name("copy.png")
    assert inturn("files", "read", file_id, "-o", str(copy)).returncode == 0
    assert copy.read_bytes() == PNG
    assert inturn("files", "rm", file_id).returncode == 0
    assert "There is no such file" in inturn("files", "show", file_id).stderr
