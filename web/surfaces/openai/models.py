"""`models.list` and `models.retrieve`: the assistants."""

from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel

from turns.assistants.registry import AssistantRegistry
from turns.domain.assistant import Assistant
from web.http.responses import reply


class Model(BaseModel):
    """An assistant. Since it is a part of the configuration, it has no time of creation."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "inturn"

    @classmethod
    def of(cls, assistant: Assistant) -> "Model":
        return cls(id=assistant.name)


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


def build_models(registry: AssistantRegistry) -> Blueprint:
    api = Blueprint("models", __name__, url_prefix="/models")

    @api.get("")
    def list_models() -> Response:
        return reply(ModelList(data=[Model.of(assistant) for assistant in registry.all_assistants().values()]))

    @api.get("/<name>")
    def retrieve_model(name: str) -> Response:
        return reply(Model.of(registry.find(name)))

    return api
