"""The question of a turn, as it is stored and before its files are loaded."""

from langchain_core.messages import HumanMessage

from turns.domain.run.claim import Claim


def question_of(claim: Claim, *, message_id: str | None = None) -> HumanMessage:
    """Return the question with references to its files."""
    if not claim.parts:
        return HumanMessage(content=claim.input, id=message_id)
    return HumanMessage(content=[part.block for part in claim.parts], id=message_id)
