"""How a state of a page looks: in both themes, on a desk and on a phone. The pictures are in `screenshots/`."""

from pathlib import Path
from typing import Literal

from tests.browser.visitor import Visitor

HERE = Path(__file__).parent
PICTURES = HERE / "screenshots"
AXE = (HERE / "vendor" / "axe-core-4.14.1.js").read_text(encoding="utf-8")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
JUDGED = {("desk", "light"), ("phone", "dark")}  # by axe: what it finds is of a theme or of a width, never of both
WIDTHS = {"desk": (1100, 760), "phone": (375, 740)}


def look(visitor: Visitor, name: str, *, is_whole: bool = False) -> None:
    """The state has a picture for each theme and width, nothing sticks out, and axe has nothing to say against it.

    `is_whole`: the pictures are of the whole page, also what one has to scroll to.
    """
    page = visitor.page
    page.evaluate(AXE)
    for size, (width, height) in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            picture = PICTURES / f"{name}-{size}-{theme}.png"
            page.screenshot(path=picture, full_page=is_whole)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, picture
            if (size, theme) in JUDGED:
                found = violations(visitor)
                assert found == [], f"{picture}: {found}"
    width, height = WIDTHS["desk"]
    page.set_viewport_size({"width": width, "height": height})


def violations(visitor: Visitor) -> list[str]:
    found = visitor.page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
