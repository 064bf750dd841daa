"""Rules that a setting breaks although its type and its bounds are right."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec

from turns.config import commands
from turns.config.network import find_certificate_problems, find_client_problems
from turns.config.provider_url import check_header_value, parse_provider_url
from turns.config.settings import MEDIA_TYPES, SURFACES, Placement, Settings, variable_of
from turns.config.store_url import CLUSTER_SCHEME, check_store_url

ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")

ROOT_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+")
SERVED_PATHS = frozenset(
    {"ai", "langserve", "v1", "docs", "livez", "metrics", "openapi.json", "operator", "readyz", "static"}
)


def find_contradictions(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """Return an error for each setting that is wrong by itself, with another one, or on this machine."""
    return [
        *_malformed_values(settings, environment),
        *(_cluster_problems(settings) if settings.store_url.startswith(f"{CLUSTER_SCHEME}:") else ()),
        *_missing_replicas(settings),
        *_unknown_names(settings),
        *find_certificate_problems(environment),
        *(() if settings.is_offline else find_client_problems(environment)),
        *_missing_packages(settings),
    ]


def _malformed_values(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    for name, check, value in (
        ("OPENAI_API_KEY", check_header_value, settings.openai_api_key.get_secret_value()),
        ("OPENAI_BASE_URL", _check_base_url, settings.openai_base_url),
        ("OPENAI_API_BASE", partial(_check_api_base, environment), settings.openai_base_url),
        ("REDIS_URL", check_store_url, settings.store_url),
        ("INTURN_ROOT_PATH", _check_root_path, settings.root_path),
    ):
        try:
            check(value)
        except ValueError as error:
            yield f"{name}: {error}"


def _missing_replicas(settings: Settings) -> Iterator[str]:
    if settings.replicas and settings.uses_embedded_store:
        yield "INTURN_REPLICAS: the embedded store has no replicas; set REDIS_URL to a store that has them"


def _unknown_names(settings: Settings) -> Iterator[str]:
    """Yield an error for each entry of a comma-separated list that is not one of those that exist."""
    for name in sorted(settings.allowed_file_types - set(MEDIA_TYPES)):
        yield f"INTURN_FILE_TYPES: {name!r} is not among {', '.join(MEDIA_TYPES)}"
    for origin in settings.allowed_origins:
        if not ORIGIN.fullmatch(origin):
            yield f"INTURN_CORS_ORIGINS: {origin!r} is not an origin, such as https://app.example"
    for name in sorted(settings.served_surfaces.difference(SURFACES)):
        yield f"INTURN_SURFACES: {name!r} is none of {', '.join(SURFACES)}, none"


def _missing_packages(settings: Settings) -> Iterator[str]:
    if settings.files_bucket and not _is_installed("boto3"):
        yield f"INTURN_FILES: boto3 is not installed: {commands.INSTALL_S3}"
    # Other packages install the API of OpenTelemetry, which alone sends nothing.
    if settings.otel_endpoint and not _is_installed("opentelemetry.exporter.otlp.proto.http"):
        yield f"OTEL_EXPORTER_OTLP_ENDPOINT: OpenTelemetry is not installed: {commands.INSTALL_TRACES}"


def _is_installed(module: str) -> bool:
    """Return whether a module can be found. Its parents are imported, it is not."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a parent
        return False


def _cluster_problems(settings: Settings) -> list[str]:
    """Return an error for each setting that no partition of a Redis Cluster could keep."""
    problems: list[str] = []
    if settings.history_directory:
        problems.append("INTURN_HISTORY: histories in files need one primary; use redis with rediscluster://")
    if "max_share_percent" in settings.model_fields_set and settings.max_share_percent < 100:
        problems.append(
            "INTURN_MAX_SHARE_PERCENT: no partition sees how full the workers are, so it has no effect with "
            "rediscluster://; remove it, and set `concurrency` of assistants that must not take all workers"
        )
    limits = {
        "tenant_backlog": settings.tenant_backlog < settings.max_live_turns,
        "tenant_concurrency": settings.tenant_concurrency > 0,
        "tenant_turns_per_minute": settings.tenant_turns_per_minute > 0,
        "tenant_tokens_per_day": settings.tenant_tokens_per_day > 0,
    }
    if settings.placement is Placement.SESSION:
        problems += [
            f"{variable_of(name)}: the turns of a tenant are counted in its partition, so this limit needs "
            "INTURN_PLACEMENT=tenant with rediscluster://"
            + (", or the value of INTURN_MAX_LIVE_TURNS" if name == "tenant_backlog" else "")
            for name, is_limited in limits.items()
            if is_limited
        ]
    return problems


def _check_base_url(url: str) -> None:
    if url:
        parse_provider_url(url)


def _check_api_base(environment: Mapping[str, str], base_url: str) -> None:
    """Raise ValueError if LangChain's own name of `OPENAI_BASE_URL` is set to something else."""
    if environment.get("OPENAI_API_BASE", "").strip() not in {"", base_url}:
        raise ValueError("is not read; use OPENAI_BASE_URL instead")


def _check_root_path(path: str) -> None:
    if path and (not ROOT_PATH.fullmatch(path) or path.split("/")[1] in SERVED_PATHS):
        raise ValueError("must be a path such as /chat, without a slash at its end, and not a path of the API")
