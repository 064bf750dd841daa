"""The question of a turn, as it is stored and before its files are loaded."""

from langchain_core.messages import HumanMessage

from turns.domain.run.claim import Claim


def question_of(claim: Claim) -> HumanMessage:
    """Return the question with references to its files."""
    if not claim.parts:
        return HumanMessage(content=claim.input)
    return HumanMessage(content=[part.block for part in claim.parts])
