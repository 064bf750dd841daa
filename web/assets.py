"""Scripts and styles of the pages, under a name that changes with their content: a browser asks for each once."""

import hashlib
from pathlib import Path

from flask import Blueprint, Response, send_from_directory

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
VERSION_CHARACTERS = 16


class Assets:
    """The version names all files together, so a relative import in one leads to the same version of another."""

    def __init__(self) -> None:
        self.version = _version(STATIC)

    def url(self, name: str) -> str:
        return f"/static/{self.version}/{name}"

    def in_folder(self, folder: str) -> list[str]:
        """The URLs of all scripts in it; a page names them at once, and the browser need not find them one by one."""
        return [self.url(f"{folder}/{file.name}") for file in sorted((STATIC / folder).glob("*.js"))]


def build_assets(assets: Assets) -> Blueprint:
    files = Blueprint("assets", __name__)

    @files.get("/static/<version>/<path:filename>")
    def static(version: str, filename: str) -> Response:
        response = send_from_directory(STATIC, filename)
        if version == assets.version:  # another version's page, while a new one is rolled out, must ask again
            response.headers["Cache-Control"] = FOREVER
        return response

    return files


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:VERSION_CHARACTERS]
