"""The base of all tables of `assistants.toml`."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table that refuses unknown fields and converts no types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
