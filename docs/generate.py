"""Writes the parts of the documentation that the code knows best. `make format` runs it; a test runs it too."""

import sys
from pathlib import Path

from turns.keys import CATALOGUE
from turns.settings import Settings, variables
from turns.state import INITIAL, TERMINAL, TRANSITIONS

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- settings: generated -->", "<!-- /settings -->"


def generated() -> dict[Path, str]:
    """The text that each of these files should have."""
    readme = ROOT / "README.md"
    return {
        ROOT / "docs" / "state_machine.md": state_machine(),
        ROOT / "docs" / "redis_keys.md": redis_keys(),
        readme: with_settings(readme.read_text(encoding="utf-8")),
    }


def state_machine() -> str:
    arrows = [f"    [*] --> {INITIAL}: accept"]
    arrows += [f"    {frm} --> {to}: {event}" for (frm, event), to in TRANSITIONS.items()]
    arrows += [f"    {status} --> [*]" for status in sorted(TERMINAL)]
    return "\n".join(
        [
            "# The life of a turn",
            "",
            "Generated from `turns/state.py`, which also says what each event means. The same table is rendered",
            "into the Lua scripts, the only code that moves a turn; what is not in it changes nothing.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *arrows,
            "```",
            "",
        ]
    )


def redis_keys() -> str:
    rows = [f"| `{key.name}` | {key.type} | {key.holds} | {key.lives} |" for key in CATALOGUE]
    return "\n".join(
        [
            "# Keys in Redis",
            "",
            "Generated from `turns/keys.py`. A name that ends in a colon is a family; the id of its member follows.",
            "",
            "| Key | Type | Holds | Lives |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def with_settings(readme: str) -> str:
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [
        f"| `{variable}` | {_default(name)} | {Settings.model_fields[name].description} |"
        for name, variable in variables().items()
    ]
    table = "\n".join(["| Variable | Default | What it does |", "|---|---|---|", *rows])
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
    if isinstance(value, bool):
        text = text.lower()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    return f"`{text}`" if text else "none"


def main() -> None:
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
