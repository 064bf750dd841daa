"""All routes of the protocol, and the form of its errors."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from web.http.problems import FORMS
from web.services import Services
from web.surfaces.openai.chat.routes import build_completions
from web.surfaces.openai.conversations.item_routes import build_items
from web.surfaces.openai.conversations.routes import build_conversations
from web.surfaces.openai.errors import to_error
from web.surfaces.openai.models import build_models
from web.surfaces.openai.responses.routes import build_responses

BASE = "/openai/v1"


def build_openai(services: Services) -> Blueprint:
    api = Blueprint("openai", __name__, url_prefix=BASE)
    api.record_once(_form_errors)
    for part in (
        build_models(services.registry),
        build_responses(services),
        build_conversations(services),
        build_items(services),
        build_completions(services),
    ):
        api.register_blueprint(part)
    return api


def _form_errors(state: BlueprintSetupState) -> None:
    """Answer each error below the base in the form of the protocol, also for a path or method that does not exist."""
    state.app.extensions.setdefault(FORMS, {})[f"{BASE}/"] = to_error
