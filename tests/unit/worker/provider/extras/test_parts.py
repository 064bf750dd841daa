"""Test that citations and images are found, whatever the provider calls them, and that nothing odd passes."""

from typing import Any

import pytest

from worker.provider.extras.parts import MAX_EXTRAS, add_extras, to_citation, to_image

URL = "https://example.org/a"
PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"type": "url_citation", "url_citation": {"url": URL, "title": "A", "start_index": 1, "end_index": 2}},
            {"url": URL, "title": "A", "start_index": 1, "end_index": 2},
        ),
        (
            {"type": "citation", "title": "A book", "cited_text": "x" * 5000},
            {"title": "A book", "cited_text": "x" * 1000},
        ),
        ({"url": URL, "start_index": 5, "end_index": 2}, {"url": URL}),
        ({"url": "javascript:alert(1)", "title": "A"}, {"title": "A"}),
    ],
)
def test_a_citation_has_what_is_usable(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert to_citation(given) == {"type": "citation", **expected}


@pytest.mark.parametrize("given", [None, "x", {}, {"url": "javascript:alert(1)"}, {"url": URL + " x"}, {"title": 7}])
def test_anything_else_is_no_citation(given: Any) -> None:
    assert to_citation(given) is None


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"type": "image_url", "image_url": {"url": PNG}}, PNG),
        ({"type": "image", "url": URL}, URL),
        ({"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}, PNG),
    ],
)
def test_an_image_has_an_address(given: dict[str, Any], url: str) -> None:
    assert to_image(given) == {"type": "image", "url": url}


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"url": "data:text/html;base64,AAAA"},
        {"base64": "AAAA"},
        {"base64": 'AAAA" onload="x', "mime_type": "image/png"},
        {"image_url": {"url": 7}},
    ],
)
def test_anything_else_is_no_image(given: Any) -> None:
    assert to_image(given) is None


def test_sources_that_each_chunk_repeats_are_taken_once() -> None:
    extras: list[dict[str, Any]] = []
    for _ in range(3):
        add_extras(
            extras, {"citations": [URL, 7], "choices": [{"delta": {"images": [{"url": URL}], "annotations": "x"}}]}
        )
    assert extras == [{"type": "citation", "url": URL}, {"type": "image", "url": URL}]
    add_extras(
        extras, {"citations": ["x"], "search_results": [{"url": f"{URL}/{n}", "title": "B"} for n in range(200)]}
    )
    assert (extras[2], len(extras)) == ({"type": "citation", "url": f"{URL}/0", "title": "B"}, MAX_EXTRAS)
