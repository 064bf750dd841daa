"""Short descriptions of JSON Schemas as HTML, for the page that describes the API."""

from typing import Any

from markupsafe import Markup, escape


def words(rule: dict[str, Any]) -> Markup:
    """Return HTML with the type of the value and its bounds."""
    if "$ref" in rule:
        name = rule["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}"><code>{0}</code></a>').format(name)
    if choices := rule.get("anyOf"):
        return Markup(" or ").join(map(words, choices))
    if rule.get("type") == "array":
        return Markup("list of ") + words(rule.get("items") or {"type": "anything"})
    if "const" in rule:
        return Markup("<code>{}</code>").format(rule["const"])
    if "enum" in rule:
        return Markup(" | ").join(Markup("<code>{}</code>").format(word) for word in rule["enum"])
    return escape(" ".join([rule.get("format") or rule.get("type", "object"), *_bounds(rule)]))


def coded(text: str | None) -> Markup:
    """Return the text as HTML, with `code` elements for the parts in backticks."""
    parts = (text or "").split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def _bounds(rule: dict[str, Any]) -> list[str]:
    names = {"exclusiveMinimum": "above {}", "minimum": "from {}", "maximum": "to {}", "maxLength": "to {} characters"}
    return [text.format(rule[name]) for name, text in names.items() if name in rule]
