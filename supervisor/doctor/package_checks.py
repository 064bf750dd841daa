"""Check the versions of the installed packages."""

from importlib.metadata import version

from supervisor.doctor.finding import Finding, Verdict
from turns.config import commands

# Earlier versions have known vulnerabilities, which docs/reference/dependencies.md lists.
MIN_PACKAGE_VERSIONS = {
    "flask": "3.1.3",
    "gunicorn": "23",
    "langchain-core": "1.3.3",
    "langchain-openai": "1.1.14",
    "urllib3": "2.7",
}


def check_packages() -> Finding:
    installed = {name: version(name) for name in MIN_PACKAGE_VERSIONS}
    outdated = [name for name, minimum in MIN_PACKAGE_VERSIONS.items() if not is_at_least(installed[name], minimum)]
    if not outdated:
        return Finding(Verdict.OK, "packages", "all versions are recent enough")
    observed = ", ".join(f"{name} {installed[name]}" for name in outdated)
    remedy = f"install later versions: {commands.INSTALL_PACKAGES}"
    return Finding(Verdict.WRONG, "packages", f"known vulnerabilities in {observed}", remedy)


def is_at_least(found: str, minimum: str) -> bool:
    return _numbers(found) >= _numbers(minimum)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
