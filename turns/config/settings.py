"""All settings in one immutable object, which the entry points read and pass down."""

import hashlib
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from turns.config.provider_url import parse_provider_url
from turns.config.store_url import count_partitions

PREFIX = "INTURN_"

MAX_SOCKET_PATH_BYTES = 100  # the kernel's limit is 104 bytes on macOS, 108 on Linux

SURFACES = ("ai_sdk", "langserve", "openai")  # the packages in `web/surfaces`
MAX_VALUE = 1_000_000_000  # 30 years in seconds; sums and products of such values are exact in the store's numbers

MAX_FILE_BYTES = 256 * 1024 * 1024  # a request to the model contains its files, so a worker holds them in memory
# Types that a model or a text prompt can take, and whose content shows what they are.
MEDIA_TYPES = (
    *("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"),
    *("text/plain", "text/markdown", "text/csv", "application/json"),
)

MAX_INPUT_BYTES = 1024 * 1024  # each read of a turn returns its input, and a claim those of its history

RENEWALS_PER_LEASE = 3  # a lease survives two failed renewals


class Pool(StrEnum):
    GEVENT = "gevent"
    THREADS = "threads"


class Placement(StrEnum):
    """The unit whose turns are all in one partition of a Redis Cluster."""

    SESSION = "session"
    TENANT = "tenant"


class LogFormat(StrEnum):
    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


def _strip_secret(value: object) -> object:
    secret = value.get_secret_value() if isinstance(value, SecretStr) else value
    return SecretStr(secret.strip()) if isinstance(secret, str) else value


class Settings(BaseSettings):
    """Names, defaults and bounds of all settings, read from the environment. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        str_strip_whitespace=True,
    )

    redis_url: str = Field(
        "",
        validation_alias="REDIS_URL",
        description="URL of the store: `redis://`, `rediss://`, `unix://`, `sentinel://host,host/service`, or `rediscluster://host,host` ([more than one primary](../guides/cluster.md)). If unset, `make up` starts an embedded store",
    )
    port: int = Field(8000, ge=1, le=65535, validation_alias="PORT", description="Port of the HTTP endpoint")
    web_processes: int = Field(1, ge=1, le=64, description="Number of processes of the HTTP endpoint")
    workers: int = Field(
        1, ge=1, le=64, validation_alias="WORKERS", description="Number of worker processes that `make up` starts"
    )
    chain_workers: int = Field(
        1,
        ge=1,
        le=64,
        validation_alias="CHAIN_WORKERS",
        description="Number of chain workers that `make up` starts if an assistant has a custom chain",
    )
    openai_api_key: Annotated[SecretStr, BeforeValidator(_strip_secret)] = Field(
        SecretStr(""),
        validation_alias="OPENAI_API_KEY",
        description="API key of the model's provider. With neither key nor base URL, a built-in offline model answers",
    )
    openai_base_url: str = Field(
        "",
        validation_alias="OPENAI_BASE_URL",
        description="Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:11434/v1`",
    )

    model: str = Field("gpt-4o-mini", min_length=1, description="Name of the model at the provider")
    fallback_model: str = Field("", description="Another model at the same provider, used when the first one fails")
    namespace: str = Field(
        "",
        pattern="^([A-Za-z0-9-]{1,32})?$",
        json_schema_extra={"rule": "must be up to 32 letters, digits or `-`"},
        description="Prefix of all names in the store, so that installations with different ones can share it: up to 32 letters, digits or `-`",
    )
    placement: Placement = Field(
        Placement.SESSION,
        description="In a Redis Cluster: each `session` is in some partition, or all sessions of a `tenant` are in the same one, which limits of tenants need. It cannot be changed later",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that the HTTP endpoint binds to. Addresses other than loopback require that an API key exists, or `INTURN_ALLOW_OPEN_ACCESS`",
    )
    allow_open_access: bool = Field(False, description="Serve all clients that can reach the address, without API keys")
    allow_unsafe_store: bool = Field(
        False, description="Accept turns although the store's `maxmemory-policy` allows it to delete them"
    )
    require_keys: bool = Field(
        False,
        description="Refuse every request without an API key, even if the store has no keys, as after a loss of its data. `make up` sets this for its embedded store once a key exists",
    )
    data_dir: Path = Field(Path(".inturn"), description="Data directory of the embedded store")

    pool: Pool = Field(
        Pool.GEVENT,
        description="Celery's pool of the workers: `gevent`, or `threads`. Chain workers always use threads",
    )
    concurrency: int = Field(
        200, ge=1, le=2000, description="Maximum number of turns that one worker process runs concurrently"
    )
    lease_seconds: float = Field(6.0, ge=0.3, description="Time without a renewal after which a worker loses its turns")
    rescue_seconds: float = Field(
        1.0,
        ge=0.05,
        le=3,
        description="Interval at which each worker processes due retries, expired leases and lost hints",
    )
    hint_grace_seconds: float = Field(
        3.0, ge=0.1, description="Time after which a dispatched turn that no worker has claimed is dispatched again"
    )
    max_attempts: int = Field(3, ge=1, le=100, description="Maximum number of attempts before a turn fails")
    max_losses: int = Field(
        6, ge=1, le=100, description="Number of workers that may die while they run a turn before the turn fails"
    )
    retry_seconds: float = Field(
        2.0,
        ge=0,
        le=60,
        description="Maximum delay before the second attempt; doubles with each further attempt. Likewise after the second lost worker",
    )
    first_token_seconds: float = Field(30.0, gt=0, description="Maximum time until the model's first token")
    idle_seconds: float = Field(20.0, gt=0, description="Maximum time between two pieces of the model's answer")
    total_seconds: float = Field(120.0, gt=0, description="Maximum duration of one attempt")
    patience_seconds: float = Field(
        86_400.0, gt=0, le=MAX_VALUE, description="Maximum time that a turn waits for a provider that limits its rate"
    )
    longest_pause_seconds: float = Field(
        300.0,
        ge=1,
        le=86_400,
        description="Longest pause of a model for which its provider asks. Then one turn tries, and the others follow if it gets an answer",
    )
    breaker_failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="Failures of a model in a row, as one worker sees them, after which its turns wait instead of failing",
    )
    outage_patience_seconds: float = Field(
        600.0,
        ge=0,
        le=MAX_VALUE,
        description="Maximum time that a turn waits for a model that does not answer (0 = it fails instead)",
    )
    grace_seconds: float = Field(
        25.0,
        ge=0,
        description="Time that a stopping worker gives its running turns to finish before it returns them to the queue",
    )
    stock_client: bool = Field(
        False, description="Call the model with OpenAI's client instead of the built-in one; takes four times the CPU"
    )
    max_input_bytes: int = Field(
        131_072, ge=1, le=MAX_INPUT_BYTES, description="Maximum size of a turn's input, in bytes of UTF-8"
    )
    max_answer_bytes: int = Field(262_144, ge=1, description="Maximum size of an answer; a larger one fails the turn")
    assistants: Path = Field(
        Path("assistants.toml"),
        description="File that defines the assistants ([assistants](../guides/assistants.md)), reloaded when it changes. Without the file, the assistants are `default` and `example`",
    )
    history: str = Field(
        "redis",
        pattern="^(redis|file:.+)$",
        json_schema_extra={"rule": "must be redis, or file:DIR"},
        description="Storage of histories: `redis`, or `file:DIR` for one JSON file per session ([assistants](../guides/assistants.md#files-as-history))",
    )
    files: str = Field(
        "",
        pattern="^(|off|file:.+|s3:[^/]+(/.*)?)$",
        json_schema_extra={"rule": "must be file:DIR, s3:BUCKET/PREFIX or off"},
        description="Storage of uploaded files: `file:DIR`, which the HTTP endpoint and all workers must see, `s3:BUCKET/PREFIX` for an S3-compatible bucket (requires `tools/requirements/s3.txt`), or `off` for no uploads. Default: the directory `files` of `INTURN_DATA_DIR`, and `off` with a Redis Cluster",
    )
    max_file_bytes: int = Field(
        20_971_520, ge=1, le=MAX_FILE_BYTES, description="Maximum size of an uploaded file, in bytes"
    )
    file_types: str = Field(
        ",".join(MEDIA_TYPES),
        description="Comma-separated media types of the files that can be uploaded. The type is checked by the content",
    )
    file_ttl_seconds: float = Field(
        3600.0,
        ge=1,
        le=MAX_VALUE,
        description="Time for which an uploaded file is kept that no turn refers to. A file is deleted at most this long after its last turn and session",
    )
    tenant_file_bytes: int = Field(
        10_737_418_240, ge=0, le=2**53, description="Maximum size of all files of a tenant, in bytes (0 = unlimited)"
    )
    model_file_bytes: int = Field(
        33_554_432,
        ge=1,
        le=MAX_FILE_BYTES,
        description="Maximum size of all files that one request to the model contains. The newest files in the history are sent; a turn with more is refused",
    )
    history_window: int = Field(
        40,
        ge=0,
        le=MAX_VALUE,
        description="Maximum number of history messages that the model receives. The window slides in steps of half its size, which keeps provider prompt caches warm",
    )

    beat_file: str = Field(
        "",
        description="Heartbeat file, which a worker touches every tenth of `INTURN_STALL_SECONDS` while its runs can proceed; use its modification time as a liveness probe",
    )
    stall_seconds: float = Field(
        10.0,
        ge=1,
        le=3600,
        description="Time for which one run may keep all other runs of its worker from proceeding; then the worker exits with code 70, and its supervisor starts another one",
    )
    replicas: int = Field(
        0,
        ge=0,
        le=10,
        description="Replicas of the store that must have a write before it is confirmed to the client. With 0, a failover can lose the most recent writes",
    )
    session_backlog: int = Field(100, ge=1, description="Maximum number of live turns per session")
    max_live_turns: int = Field(10_000, ge=1, description="Maximum number of live turns in total")
    tenant_backlog: int = Field(10_000, ge=1, description="Maximum number of live turns per tenant")
    tenant_concurrency: int = Field(
        0,
        ge=0,
        description="Maximum number of concurrently dispatched turns per tenant (0 = unlimited)",
    )
    max_share_percent: int = Field(
        90,
        ge=10,
        le=100,
        description="Maximum share of all slots of the workers, in percent, that the turns of one model (with API keys: of one tenant and model) use at once, so that other turns start without delay; likewise of a custom chain (100 = unlimited)",
    )
    batch_concurrency: int = Field(
        50, ge=1, description="Maximum number of concurrently dispatched turns of the lane `batch`"
    )
    tenant_turns_per_minute: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Maximum number of turns that a tenant may submit per minute, with bursts of ten seconds' worth (0 = unlimited)",
    )
    tenant_tokens_per_day: int = Field(
        0, ge=0, le=MAX_VALUE, description="Maximum number of tokens per tenant and UTC day (0 = unlimited)"
    )
    reserved_tokens: int = Field(
        1000, ge=1, le=MAX_VALUE, description="Tokens reserved for a turn until its usage is known"
    )
    result_ttl_seconds: float = Field(
        86_400.0, gt=0, le=MAX_VALUE, description="Time for which a finished turn can be queried"
    )
    usage_days: int = Field(
        90,
        ge=1,
        le=400,
        description="Number of days for which the tokens and the cost of each tenant, user, assistant and model are kept",
    )
    event_ttl_seconds: float = Field(
        900.0,
        gt=0,
        le=MAX_VALUE,
        description="Time for which the events of a turn that ended without an answer are kept; those of an answer are "
        "kept as long as its result",
    )
    session_ttl_seconds: float = Field(
        2_592_000.0,
        ge=0,
        le=MAX_VALUE,
        description="Time for which a session and its history are kept after its last turn (0 = for ever)",
    )
    max_waiters: int = Field(
        1000,
        ge=1,
        description="Maximum number of concurrent long polls per web process; further ones are answered immediately. A tenant with API keys gets at most four fifths",
    )
    max_streams: int = Field(
        1000,
        ge=0,
        description="Maximum number of concurrent event streams per web process; further ones get status 503. A tenant with API keys gets at most four fifths",
    )
    cors_origins: str = Field(
        "",
        description="Comma-separated origins whose pages may call this API, such as `https://app.example`",
    )

    surfaces: str = Field(
        ",".join(SURFACES),
        description=f"Comma-separated protocols of other clients that the endpoint serves besides its own: {', '.join(f'`{name}`' for name in SURFACES)}; `none` for none of them",
    )

    langserve_root: str = Field(
        "",
        description="Assistant that LangServe's paths at the root of the service are for, such as `/invoke`; without it, these paths are below `/langserve/{assistant}` only",
    )
    root_path: str = Field(
        "",
        description="Path prefix under which a reverse proxy serves the endpoint, such as `/chat`. Links begin with it; requests are answered with and without it",
    )

    otel_endpoint: str = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="URL of an OpenTelemetry collector for traces, such as `http://127.0.0.1:4318`; requires `tools/requirements/otel.txt`, or `inturn[otel]`",
    )
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="`json`, `console`, or `auto`: console if the output is a terminal, else JSON"
    )
    access_log: bool = Field(
        False,
        description="Log each request of the HTTP endpoint as `request.done`: method, path with placeholders, status, duration, API key and tenant, but neither query nor body",
    )
    log_level: str = Field(
        "info",
        pattern="^(debug|info|warning|error)$",
        json_schema_extra={"rule": "must be debug, info, warning or error"},
        description="Minimum level: `debug`, `info`, `warning` or `error`",
    )

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def store_url(self) -> str:
        """URL of the store: `REDIS_URL`, or the embedded store of the data directory."""
        return self.redis_url or self._embedded_url

    @property
    def partitions(self) -> int:
        """Number of partitions of a Redis Cluster; 0 for any other store."""
        return count_partitions(self.store_url)

    @property
    def uses_embedded_store(self) -> bool:
        """Whether the store is the one in the data directory; `make up` names it in `REDIS_URL` of its processes."""
        return self.store_url == self._embedded_url

    @property
    def _embedded_url(self) -> str:
        return f"unix://{quote(str(self.embedded_socket))}"

    @property
    def embedded_socket(self) -> Path:
        """Socket of the embedded store, derived from the data directory, so that `make worker` finds it too."""
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
        # A user's directory can have any name without a colon.
        part = f"namespace:{self.namespace}" if self.namespace else ""
        return Path(directory) / part if kind == "file" else None

    @property
    def files_directory(self) -> Path | None:
        """Directory of the uploaded files; None if none can be uploaded."""
        kind, _, directory = self.files.partition(":")
        part = f"namespace:{self.namespace}" if self.namespace else ""
        root = Path(directory) if kind == "file" else self.data_dir / "files"
        # The processes of a cluster are on several hosts, whose data directories are not the same.
        is_off = kind in {"off", "s3"} or (self.partitions and not kind)
        return None if is_off else root / part

    @property
    def files_bucket(self) -> tuple[str, str] | None:
        """Name of the bucket of the uploaded files, and what the names of its objects begin with."""
        kind, _, place = self.files.partition(":")
        bucket, _, prefix = place.partition("/")
        parts = filter(None, (prefix.strip("/"), self.namespace))
        return None if kind != "s3" else (bucket, "".join(f"{part}/" for part in parts))

    @property
    def allowed_file_types(self) -> frozenset[str]:
        return frozenset(name.strip() for name in self.file_types.split(",") if name.strip())

    @property
    def model_name(self) -> str:
        return "offline" if self.is_offline else self.model

    @property
    def served_surfaces(self) -> frozenset[str]:
        return frozenset(name.strip() for name in self.surfaces.split(",")).difference({"", "none"})

    @property
    def allowed_origins(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def model_description(self) -> str:
        if self.is_offline:
            return "the built-in offline model"
        base_url = self.openai_base_url
        return f"{self.model} at {parse_provider_url(base_url).address if base_url else 'the OpenAI API'}"


def variables() -> dict[str, str]:
    """Return the environment variable of each setting, by field name."""
    return {name: variable_of(name) for name in Settings.model_fields}


def variable_of(field: str) -> str:
    """Return the environment variable of a setting."""
    known = Settings.model_fields.get(field)
    alias = known.validation_alias if known else field
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"
