"""The finding of one check."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    subject: str
    observed: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n{'':8}→ {self.remedy}" if self.remedy else ""
        return f"{self.verdict:<7} {self.subject}: {self.observed}{remedy}"
