"""Refusals of what this service cannot honour."""

from turns.domain.errors import FieldError, InvalidRequest


class UnsupportedParameter(InvalidRequest):
    """The parameter would change the answer, and is not supported."""

    code = "unsupported_parameter"

    def __init__(
        self, name: str, rule: str = "is not supported here: the assistant decides it", *others: FieldError
    ) -> None:
        super().__init__(name, rule, *others)
