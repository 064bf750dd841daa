"""Models and errors of the OpenAI surface, in an app on a real server."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types import Model

from tests.integration.web.surfaces.openai.conftest import NewApp
from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.backend.client import Client
from turns.config.settings import Settings


@pytest.fixture
def http(settings: Settings, new_app: NewApp) -> FlaskClient:
    return new_app(settings).test_client()


def error(response: Any, status: int) -> dict[str, Any]:
    """Return the error in a response, which must have the form that the client reads."""
    assert (response.status_code, response.mimetype) == (status, "application/json")
    body: dict[str, Any] = response.json
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return dict(body["error"])


def test_each_assistant_is_a_model(http: FlaskClient) -> None:
    listed: Any = http.get("/openai/v1/models").json
    assert [Model.model_validate(model, strict=True).id for model in listed["data"]] == ["default", "example"]
    assert listed["object"] == "list"
    assert http.get("/openai/v1/models/example").json == listed["data"][1]


def test_an_unknown_model_is_not_found(http: FlaskClient) -> None:
    assert error(http.get("/openai/v1/models/exampel"), 404)["code"] == "assistant_not_found"


def test_paths_and_methods_that_do_not_exist(http: FlaskClient) -> None:
    assert error(http.get("/openai/v1/images"), 404)["type"] == "invalid_request_error"
    refused = http.delete("/openai/v1/models")
    assert error(refused, 405)["code"] == "method_not_allowed"
    assert "GET" in refused.headers["Allow"]
    assert http.get("/v1/images").mimetype == "application/problem+json"


def test_a_key_is_required_as_everywhere(http: FlaskClient, client: Client) -> None:
    key = ApiKeyStore(client).create_key("acme", [Scope.TURNS])[0]
    refused = http.get("/openai/v1/models")
    assert error(refused, 401)["type"] == "authentication_error"
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert http.get("/openai/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_store_that_is_away_is_a_server_error(new_app: NewApp) -> None:
    response = new_app(Settings(redis_url="unix:///nowhere")).test_client().get("/openai/v1/models")
    assert error(response, 503)["type"] == "server_error"
    assert response.headers["Retry-After"] == "2"


def test_without_the_surface_there_are_no_paths(settings: Settings, new_app: NewApp) -> None:
    without = settings.model_copy(update={"surfaces": "none"})
    response = new_app(without).test_client().get("/openai/v1/models")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
