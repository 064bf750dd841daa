"""Everything that can be set, in one frozen object; the only place that reads the environment.

Entry points build it with `Settings.from_environment()` and pass it down.
"""

import difflib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from turns.config.store_url import check_store_url
from turns.domain.errors import ConfigurationError

PREFIX = "INTURN_"
CLIENT_VARIABLES = frozenset({"INTURN_URL", "INTURN_API_KEY"})  # often set in the same shell, and not for the service

MAX_SOCKET_PATH_BYTES = 100  # the kernel's limit is 104 bytes on macOS, 108 on Linux

ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")

MAX_NUMBER = 1_000_000_000  # seconds are thirty years; the store's numbers hold whatever comes of it

RENEWALS_PER_LEASE = 3  # a lease survives two renewals that came too late


class Pool(StrEnum):
    GEVENT = "gevent"
    THREADS = "threads"


class LogFormat(StrEnum):
    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class Settings(BaseModel):
    """Names, defaults and bounds of all settings. Durations are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    redis_url: str = Field(
        "",
        validation_alias="REDIS_URL",
        description="The store: `redis://`, `rediss://`, `unix://` or `sentinel://host,host/service`. Unset: `make up` starts an embedded one",
    )
    port: int = Field(8000, ge=1, le=65535, validation_alias="PORT", description="Port of the HTTP endpoint")
    web_processes: int = Field(1, ge=1, le=64, description="Processes of the HTTP endpoint")
    workers: int = Field(
        1, ge=1, le=64, validation_alias="WORKERS", description="Worker processes that `make up` starts"
    )
    openai_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="OPENAI_API_KEY",
        description="Key of the model's provider. With neither key nor base URL the built-in offline model answers",
    )
    openai_base_url: str = Field(
        "",
        validation_alias="OPENAI_BASE_URL",
        description="Any OpenAI-compatible endpoint, such as `http://127.0.0.1:11434/v1`",
    )

    model: str = Field("gpt-4o-mini", min_length=1, description="Name of the model at the provider")
    fallback_model: str = Field(
        "", description="Another model at the same provider, asked when the first one cannot answer"
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that the HTTP endpoint binds to; any but loopback needs an API key to have been made, or `INTURN_ALLOW_OPEN_ACCESS`",
    )
    allow_open_access: bool = Field(False, description="Serve everybody who can reach the address, without a key")
    data_dir: Path = Field(Path(".inturn"), description="Where the embedded store keeps its data")

    pool: Pool = Field(
        Pool.GEVENT, description="Celery's pool: `gevent`, or `threads` for chains whose libraries cannot be patched"
    )
    concurrency: int = Field(200, ge=1, le=2000, description="Turns that one worker process runs at once")
    lease_seconds: float = Field(6.0, ge=0.3, description="A worker that is silent for so long has lost its turns")
    rescue_seconds: float = Field(1.0, ge=0.05, le=3, description="How often each worker looks at what is due")
    hint_grace_seconds: float = Field(
        3.0, ge=0.1, description="A dispatched turn that nobody claimed in this time is dispatched again"
    )
    max_attempts: int = Field(3, ge=1, le=100, description="Attempts that a turn gets before it fails")
    retry_seconds: float = Field(
        2.0, ge=0, le=60, description="The longest wait before the second attempt; it doubles with each further one"
    )
    first_token_seconds: float = Field(30.0, gt=0, description="The model must begin to answer in this time")
    idle_seconds: float = Field(20.0, gt=0, description="The longest silence of the model in mid-answer")
    total_seconds: float = Field(120.0, gt=0, description="The longest time of one attempt")
    patience_seconds: float = Field(
        86_400.0, gt=0, le=MAX_NUMBER, description="How long a turn may wait for a provider that limits its rate"
    )
    grace_seconds: float = Field(
        25.0, ge=0, description="How long a worker that is told to stop lets its turns run; then it hands them back"
    )
    stock_client: bool = Field(
        False, description="Ask the model with OpenAI's own client instead of the thin one: four times the CPU"
    )
    max_answer_bytes: int = Field(262_144, ge=1, description="A larger answer fails the turn")
    assistants: Path = Field(
        Path("assistants.toml"),
        description="The file that names the assistants, read again when it changes ([docs/assistants.md](docs/assistants.md)); without one there is `default`",
    )
    history: str = Field(
        "redis",
        pattern="^(redis|file:.+)$",
        description="Where histories are kept: `redis`, or `file:DIR` for a JSON file each ([docs/assistants.md](docs/assistants.md#files-as-history))",
    )
    history_window: int = Field(
        40,
        ge=0,
        le=MAX_NUMBER,
        description="Most messages of the history that the model sees; they are dropped half a window at a time",
    )

    beat_file: str = Field(
        "", description="A file that a worker touches as often as it looks, so that its age tells whether it lives"
    )
    replicas: int = Field(
        0,
        ge=0,
        le=10,
        description="Replicas of the store that must hold what is accepted or ended before it is confirmed; with 0 a fail-over can lose the last moments",
    )
    session_backlog: int = Field(100, ge=1, description="Live turns that one session may have")
    max_live_turns: int = Field(10_000, ge=1, description="Live turns that all sessions together may have")
    tenant_backlog: int = Field(10_000, ge=1, description="Live turns that one tenant may have")
    tenant_concurrency: int = Field(
        0,
        ge=0,
        description="Turns of one tenant that may be out for a worker at once, so that others have room; 0: any number",
    )
    batch_concurrency: int = Field(
        50, ge=1, description="Turns of the lane `batch` that may be out for a worker at once"
    )
    tenant_turns_per_minute: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Turns that one tenant may submit, ten seconds' worth of them at once; 0: any number",
    )
    tenant_tokens_per_day: int = Field(
        0, ge=0, le=MAX_NUMBER, description="Tokens that one tenant may use in a day of UTC; 0: any number"
    )
    reserved_tokens: int = Field(
        1000, ge=1, le=MAX_NUMBER, description="Tokens that are reserved for a turn until it is known what it used"
    )
    result_ttl_seconds: float = Field(
        86_400.0, gt=0, le=MAX_NUMBER, description="How long a turn can be asked for after it ended"
    )
    event_ttl_seconds: float = Field(
        900.0, gt=0, le=MAX_NUMBER, description="How long a turn's events are kept after it ended"
    )
    session_ttl_seconds: float = Field(
        2_592_000.0, gt=0, le=MAX_NUMBER, description="How long a session and its history are kept after its last turn"
    )
    max_waiters: int = Field(
        1000, ge=1, description="Long-polls that one web process holds at once; more are answered at once"
    )
    max_streams: int = Field(1000, ge=0, description="Event streams that one web process holds at once; beyond, 503")
    cors_origins: str = Field(
        "",
        description="Other origins whose pages may call this API, separated by commas, such as `https://app.example`",
    )

    otel_endpoint: str = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="An OpenTelemetry collector, such as `http://127.0.0.1:4318`, for traces; needs `tools/requirements/otel.txt`",
    )
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="`json`, `console`, or `auto`: console where the output is a terminal"
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="`debug`, `info`, `warning` or `error`"
    )

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def store_url(self) -> str:
        """The store named by `REDIS_URL`, or the embedded one of this data directory."""
        return self.redis_url or f"unix://{self.embedded_socket}"

    @property
    def embedded_socket(self) -> Path:
        """The same for every process of this data directory, so that `make worker` finds the store of `make up`."""
        directory = self.data_dir.resolve()
        socket = directory / "store.sock"
        if len(str(socket).encode()) <= MAX_SOCKET_PATH_BYTES:
            return socket
        digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"inturn-{os.getuid()}-{digest}" / "store.sock"

    @property
    def renew_seconds(self) -> float:
        return self.lease_seconds / RENEWALS_PER_LEASE

    @property
    def is_offline(self) -> bool:
        return not self.openai_api_key.get_secret_value() and not self.openai_base_url

    @property
    def history_directory(self) -> Path | None:
        kind, _, directory = self.history.partition(":")
        return Path(directory) if kind == "file" else None

    @property
    def model_name(self) -> str:
        return "offline" if self.is_offline else self.model

    @property
    def allowed_origins(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def model_description(self) -> str:
        if self.is_offline:
            return "the built-in offline model"
        return f"{self.model} at {self.openai_base_url or 'the OpenAI API'}"

    @classmethod
    def from_environment(cls) -> Self:
        """Raises `ConfigurationError` with a list of all that is wrong."""
        problems = _misspelt(os.environ)
        try:
            settings = cls.model_validate(_given(os.environ))
        except ValidationError as error:
            problems += [f"{_variable(str(e['loc'][0]))}: {e['msg']} (it is {e['input']!r})" for e in error.errors()]
        else:
            problems += settings._contradictions()
        if problems:
            raise ConfigurationError("\n".join(problems))
        return settings

    def _contradictions(self) -> list[str]:
        problems = []
        if self.openai_base_url and not self.openai_base_url.startswith(("http://", "https://")):
            problems.append(f"OPENAI_BASE_URL: must begin with http:// or https:// (it is {self.openai_base_url!r})")
        try:
            check_store_url(self.store_url)
        except ValueError as error:
            problems.append(f"REDIS_URL: {error}")
        problems += [
            f"INTURN_CORS_ORIGINS: {origin!r} is not an origin, such as https://app.example"
            for origin in self.allowed_origins
            if not ORIGIN.fullmatch(origin)
        ]
        if self.otel_endpoint and not find_spec("opentelemetry"):
            problems.append(
                "OTEL_EXPORTER_OTLP_ENDPOINT: OpenTelemetry is not installed: pip install -r tools/requirements/otel.txt"
            )
        return problems


def read_secret(name: str) -> SecretStr:
    """What this environment variable holds; empty where it is not set."""
    return SecretStr(os.environ.get(name, ""))


def variables() -> dict[str, str]:
    """The environment variable of each setting, by field name."""
    return {name: _variable(name) for name in Settings.model_fields}


def _variable(field: str) -> str:
    known = Settings.model_fields.get(field)
    alias = known.validation_alias if known else field
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    """What is set, by field name; a variable may be written in small letters too."""
    in_capitals = {name.upper(): value for name, value in environment.items()}
    return {field: in_capitals[name] for field, name in variables().items() if name in in_capitals}


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    """What looks like a setting and is none: ignored, a typo would pass silently."""
    known = set(variables().values())
    problems = []
    for name in sorted(set(environment) - known - CLIENT_VARIABLES):
        if name.startswith(PREFIX):
            nearest = sorted(known & {name.removeprefix(PREFIX)}) or difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else "; the README lists all of them"
            problems.append(f"{name}: there is no such setting{hint}")
    return problems


def settings_or_exit() -> Settings:
    """For entry points: a wrong setting ends the process with code 2 and a list of what to change."""
    try:
        return Settings.from_environment()
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start; these settings are wrong:\n{error}\n")
        raise SystemExit(2) from None
