"""Rules of the API that the chat page repeats, so that it can explain them before a request."""

import re

from tools import ROOT
from turns.config.settings import Settings
from turns.domain.ids import MAX_ID_CHARACTERS

CHAT = ROOT / "web" / "static" / "chat"


def test_page_accepts_the_ids_of_the_service() -> None:
    [pattern] = re.findall(r"^const ID = /\^(.*)\$/u;$", (CHAT / "route.js").read_text(encoding="utf-8"), re.MULTILINE)
    printable = r"(?!\.{1,2}$)[^\p{C}\p{Z}\ufffd]"  # the same classes of Unicode as those of `str.isprintable`
    assert pattern == f"{printable}{{1,{MAX_ID_CHARACTERS}}}"


def test_page_knows_the_default_limit_of_messages() -> None:
    [limit] = re.findall(
        r"^const MAX_INPUT_BYTES = ([\d_]+);", (CHAT / "composer.js").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert int(limit) == Settings.model_fields["max_input_bytes"].default
