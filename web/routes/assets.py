"""Scripts and styles of the pages.

Their URLs change with their content, so browsers can cache them for ever.
"""

import hashlib
import re
from pathlib import Path
from posixpath import dirname, join, normpath

from flask import Blueprint, Response, send_from_directory

from web.schemas.links import link

STATIC = Path(__file__).parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
VERSION_CHARACTERS = 16
IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"(\.[^"]+)";', re.MULTILINE)


class Assets:
    """One version covers all files, so a relative import of one file leads to the same version of another."""

    def __init__(self) -> None:
        self.version = _version(STATIC)

    def url(self, name: str) -> str:
        return link(f"/static/{self.version}/{name}")

    def styles(self, folder: str) -> tuple[str, ...]:
        """Return the names of all style sheets in this folder. They do not depend on their order."""
        return tuple(sorted(str(file.relative_to(STATIC)) for file in (STATIC / folder).rglob("*.css")))

    def modules(self, main: str) -> tuple[str, ...]:
        """Return the names of a script and of all its imports, so that a page can preload them."""
        found: dict[str, None] = {}
        pending = [main]
        while pending:
            name = pending.pop()
            if name not in found:
                found[name] = None
                source = (STATIC / name).read_text(encoding="utf-8")
                pending += [normpath(join(dirname(name), path)) for path in IMPORT.findall(source)]
        return tuple(sorted(found))


def build_assets(assets: Assets) -> Blueprint:
    files = Blueprint("assets", __name__)

    @files.get("/static/<version>/<path:filename>")
    def static(version: str, filename: str) -> Response:
        response = send_from_directory(STATIC, filename)
        if version == assets.version:  # during a rollout, a page may ask for files of another version
            response.headers["Cache-Control"] = FOREVER
        return response

    return files


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:VERSION_CHARACTERS]
