"""Rules of the API that the chat page repeats, so that it can explain them before a request."""

import re

from tools import ROOT
from turns.config.settings import Settings
from turns.domain.ids import NAME

CHAT = ROOT / "web" / "static" / "chat"


def test_page_accepts_the_ids_of_the_service() -> None:
    [pattern] = re.findall(r"^const NAME = /\^(.*)\$/;$", (CHAT / "route.js").read_text(encoding="utf-8"), re.MULTILINE)
    assert pattern == NAME.pattern


def test_page_knows_the_default_limit_of_messages() -> None:
    [limit] = re.findall(
        r"^const MAX_INPUT_BYTES = ([\d_]+);", (CHAT / "composer.js").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert int(limit) == Settings.model_fields["max_input_bytes"].default
