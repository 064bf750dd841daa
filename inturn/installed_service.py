"""Find the service beside this client, and describe how its programs are started."""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("turns", "web", "worker", "supervisor")
PACKAGE = Path(__file__).parent
# In a wheel the service is inside this package, in a clone beside it.
PLACES = (PACKAGE / "_service", PACKAGE.parent)
# The wheel contains the service in any case. These are packages of the extra `service`, which may be missing.
LIBRARIES = ("celery", "flask", "gunicorn", "redis")


def find_service() -> Path | None:
    """Return the directory that contains the packages of the service, or None if only the client is installed."""
    if not all(map(find_spec, LIBRARIES)):
        return None
    return next((place for place in PLACES if all((place / name).is_dir() for name in PACKAGES)), None)


def service_environment(service: Path, environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the environment in which `python -m supervisor` and the other programs of the service run.

    They import their own packages first, even if `directory` has a package `web`, and then custom chains from
    `directory`, as `python -m` does.
    """
    paths = [str(service), str(directory), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}


def service_command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
