"""Short descriptions of JSON Schemas as HTML, for the page that describes the API."""

from typing import Any

from markupsafe import Markup, escape

BOUNDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "from {}",
    "maximum": "to {}",
    "maxLength": "to {} characters",
    "maxProperties": "with up to {} entries",
}


def words(rule: dict[str, Any]) -> Markup:
    """Return HTML with the type of the value and its bounds."""
    if "$ref" in rule:
        name = rule["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}"><code>{0}</code></a>').format(name)
    if choices := rule.get("anyOf"):
        return Markup(" or ").join(map(words, choices))
    if rule.get("type") == "array":
        at_most = f"list of up to {rule['maxItems']}: " if "maxItems" in rule else "list of "
        return escape(at_most) + words(rule.get("items") or {"type": "anything"})
    if "const" in rule:
        return Markup("<code>{}</code>").format(rule["const"])
    if "enum" in rule:
        return Markup(" | ").join(Markup("<code>{}</code>").format(word) for word in rule["enum"])
    return escape(" ".join([rule.get("format") or rule.get("type", "object"), *_bounds(rule)]))


def described(rule: dict[str, Any], description: str | None = None) -> Markup:
    """Return HTML with the type of the value, its bounds, its default and its description."""
    parts = [words(rule)]
    if rule.get("default"):
        parts.append(Markup("default <code>{}</code>").format(rule["default"]))
    choices = rule.get("anyOf", [{}])
    text = description or rule.get("description") or choices[0].get("description")
    return Markup(", ").join(parts) + (Markup(": ") + coded(text) if text else Markup(""))


def coded(text: str | None) -> Markup:
    """Return the text as HTML, with `code` elements for the parts in backticks."""
    parts = (text or "").split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def _bounds(rule: dict[str, Any]) -> list[str]:
    return [text.format(rule[name]) for name, text in BOUNDS.items() if rule.get(name)]
