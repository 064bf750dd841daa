"""Test that each segment of a path, and each query, arrives as it was sent."""

from urllib.parse import quote, unquote

import pytest
from flask import Flask, Response, request

from turns.domain.errors import InvalidRequest
from web.http.urls import EncodedPath, Segment, read_query

VALUES = ["plain", "a/b", "a/messages", "/", "//", "%41", "%2F", "%252F", "..", "a/../b", "é日", "?#&=+;", "a//b/"]


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask("test")
    app.url_map.merge_slashes = False
    app.url_map.converters["default"] = Segment
    app.add_url_rule("/things/<thing>", "thing", lambda thing: Response(f"thing {thing}"))
    app.add_url_rule("/things/<thing>/messages", "messages", lambda thing: Response(f"messages {thing}"))
    app.wsgi_app = EncodedPath(app.wsgi_app)  # type: ignore[method-assign]
    return app


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("host", ["", "http://service"], ids=["path", "absolute"])
def test_a_parameter_can_contain_any_character(app: Flask, host: str, value: str) -> None:
    segment = quote(value, safe="")
    for path, answer in ((segment, f"thing {value}"), (f"{segment}/messages", f"messages {value}")):
        environ = {"RAW_URI": f"{host}/things/{path}?x=%2F", "PATH_INFO": unquote(f"/things/{path}", "latin-1")}
        assert app.test_client().get("/", environ_overrides=environ).text == answer


def test_an_encoded_slash_does_not_separate_segments(app: Flask) -> None:
    assert app.test_client().get("/things%2Fone").status_code == 404
    assert app.test_client().get("/%74hings/one").text == "thing one"


@pytest.mark.parametrize("query", ["user_id=%FF", "%ff=x", "a=b&c=%C3"])
def test_a_query_that_is_not_utf8_is_refused(app: Flask, query: str) -> None:
    with app.test_request_context(f"/?{query}"), pytest.raises(InvalidRequest, match="query"):
        read_query(request)
