"""The pages for people. They hold no data: what they show, they ask of the API like any other caller."""

from collections.abc import Sequence

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as ResponseBase

from web.routes.assets import Assets
from web.schemas.links import link

HTML = "text/html; charset=utf-8"

# Scripts and styles come from files of ours, and nothing leaves for another host. What a model says is text from a
# stranger: besides being sanitised, it meets a page in which no markup could run, load or send anything.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    )
)


def build_pages(assets: Assets) -> Blueprint:
    """No page needs a store: it is there before the store answers."""
    pages = Blueprint("pages", __name__)
    of_chat = assets.modules("chat/main.js")
    of_operator = assets.modules("operator/main.js")

    @pages.get("/")
    def chat() -> Response:
        return _page(assets, title="InTurn", folder="chat", modules=of_chat)

    @pages.get("/operator")
    def operator() -> Response:
        return _page(assets, title="InTurn operator", folder="operator", modules=of_operator)

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
        main=f"{folder}/main.js",
        styles=("shared/base.css", f"{folder}/{folder}.css"),
        modules=modules,
    )
    response = Response(page, content_type=HTML)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response
