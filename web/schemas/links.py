"""Links to paths of this service, under the prefix at which a proxy serves it (`INTURN_ROOT_PATH`)."""

from contextvars import ContextVar

_root_path: ContextVar[str] = ContextVar("root_path", default="")


def set_root_path(root_path: str) -> None:
    """Let the links of this request, and of the stream that answers it, begin with `root_path`."""
    _root_path.set(root_path)


def link(path: str) -> str:
    """Return the path as callers must request it."""
    return f"{_root_path.get()}{path}"
