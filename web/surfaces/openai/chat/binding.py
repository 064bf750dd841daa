"""The headers that bind a completion to a session and a user, or say that it is a task of an interface."""

from collections.abc import Callable
from dataclasses import dataclass

from web.surfaces.openai.names import USER

SESSION = "X-InTurn-Session"
TASK = "X-InTurn-Task"
# Open WebUI sends these if ENABLE_FORWARD_USER_INFO_HEADERS is set. It sends the chat with its requests for titles and
# tags too, which are not streamed.
OPEN_WEBUI_CHAT = "X-OpenWebUI-Chat-Id"
OPEN_WEBUI_USER = "X-OpenWebUI-User-Id"
PLACEHOLDER = "{{"  # of a template that the interface has not filled in

GetHeader = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Binding:
    """`session_id` is None for a completion that stands alone; a task does so in the lane `batch`."""

    session_id: str | None = None
    user_id: str | None = None
    is_task: bool = False


def read_binding(get_header: GetHeader, *, is_streamed: bool) -> Binding:
    """Return what the headers say. An empty value, or a template that was not filled in, says nothing."""

    def read(*names: str) -> str | None:
        values = map(get_header, names)
        return next((value for value in values if value and PLACEHOLDER not in value), None)

    own, chat = read(SESSION), read(OPEN_WEBUI_CHAT)
    is_task = bool(read(TASK) or (chat and not own and not is_streamed))
    return Binding(None if is_task else own or chat, read(USER, OPEN_WEBUI_USER), is_task)
