"""All routes of the protocol, and the form of its errors."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from turns.assistants.registry import AssistantRegistry
from web.http.problems import FORMS
from web.surfaces.openai.errors import to_error
from web.surfaces.openai.models import build_models

BASE = "/openai/v1"


def build_openai(registry: AssistantRegistry) -> Blueprint:
    api = Blueprint("openai", __name__, url_prefix=BASE)
    api.record_once(_form_errors)
    for part in (build_models(registry),):
        api.register_blueprint(part)
    return api


def _form_errors(state: BlueprintSetupState) -> None:
    """Answer each error below the base in the form of the protocol, also for a path or method that does not exist."""
    state.app.extensions.setdefault(FORMS, {})[f"{BASE}/"] = to_error
