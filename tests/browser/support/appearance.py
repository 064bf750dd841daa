"""Check how a state of a page appears: two themes, a desktop and a phone. Pictures are written to `screenshots/`."""

from pathlib import Path
from typing import Literal

from tests.browser.support.browser_page import BrowserPage

HERE = Path(__file__).parent.parent
SCREENSHOTS = HERE / "screenshots"
AXE = (HERE / "vendor" / "axe-core-4.14.1.js").read_text(encoding="utf-8")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"desktop": (1100, 760), "phone": (375, 740)}
# Violations depend on the theme or on the size, never on both, so two of the four combinations find them all.
CHECKED = {("desktop", "light"), ("phone", "dark")}


def check_appearance(page: BrowserPage, name: str, *, is_full_page: bool = False) -> None:
    """Take a screenshot for each size and theme; assert that nothing overflows and axe finds no violation."""
    tab = page.page
    tab.evaluate(AXE)
    for size, (width, height) in SIZES.items():
        tab.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            tab.emulate_media(color_scheme=theme, reduced_motion="reduce")
            screenshot = SCREENSHOTS / f"{name}-{size}-{theme}.png"
            tab.screenshot(path=screenshot, full_page=is_full_page)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, screenshot
            if (size, theme) in CHECKED:
                found = violations(page)
                assert found == [], f"{screenshot}: {found}"
    width, height = SIZES["desktop"]
    tab.set_viewport_size({"width": width, "height": height})


def violations(page: BrowserPage) -> list[str]:
    found = page.page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
