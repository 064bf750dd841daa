"""The commands that messages name: those of the Makefile in a clone, those of `inturn` in an installed package."""

from pathlib import Path

IS_CLONE = (Path(__file__).parents[2] / "Makefile").is_file()

UP = "make up" if IS_CLONE else "inturn up"
WEB = "make web" if IS_CLONE else "inturn web"
WORKER = "make worker" if IS_CLONE else "inturn worker"
CHAIN_WORKER = f"{WORKER} CHAINS=1" if IS_CLONE else f"{WORKER} --chains"
CREATE_KEY = "make key TENANT=acme" if IS_CLONE else "inturn keys create acme --local"
DOCTOR = "make doctor" if IS_CLONE else "inturn doctor"
INSTALL_PACKAGES = "make clean up" if IS_CLONE else 'pip install --upgrade "inturn[service]"'
INSTALL_S3 = "pip install -r tools/requirements/s3.txt" if IS_CLONE else 'pip install "inturn[s3]"'
INSTALL_TRACES = "pip install -r tools/requirements/otel.txt" if IS_CLONE else 'pip install "inturn[otel]"'
INTURN = ".venv/bin/inturn" if IS_CLONE else "inturn"


def up_at(port: int) -> str:
    return f"{UP} PORT={port}" if IS_CLONE else f"{UP} --port {port}"
