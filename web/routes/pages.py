"""The pages for people. They contain no data; their scripts call the API like any other client."""

from collections.abc import Sequence

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as ResponseBase

from turns.config import commands
from web.routes.assets import Assets
from web.schemas.links import link

HTML = "text/html; charset=utf-8"

# Scripts and styles come from this service only, and nothing is sent to another host. The text of a model is untrusted:
# it is sanitised, and even markup that got through could not run, load or send anything on such a page.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' blob:",  # images of messages, which the page fetches with its key
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    )
)


def build_pages(assets: Assets) -> Blueprint:
    """No page needs the store, so pages load before the store answers."""
    pages = Blueprint("pages", __name__)
    chat_modules = assets.modules("chat/main.js")
    operator_modules = assets.modules("operator/main.js")

    @pages.get("/")
    def chat() -> Response:
        return _page(assets, title="InTurn", folder="chat", modules=chat_modules)

    @pages.get("/operator")
    def operator() -> Response:
        return _page(assets, title="InTurn operator", folder="operator", modules=operator_modules)

    @pages.get("/operator/")
    def operator_with_a_slash() -> ResponseBase:
        return redirect(link(f"/operator?{request.query_string.decode()}".rstrip("?")), 308)

    return pages


def _page(assets: Assets, *, title: str, folder: str, modules: Sequence[str]) -> Response:
    page = render_template(
        "page.html",
        title=title,
        asset=assets.url,
        link=link,
        commands=commands,
        main=f"{folder}/main.js",
        styles=("shared/base.css", *assets.styles(folder)),
        modules=modules,
    )
    response = Response(page, content_type=HTML)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response
