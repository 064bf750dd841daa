"""The clients of a run by their names in the table."""

from collections.abc import Mapping

from tests.chaos.surfaces import command_line, python_clients
from tests.chaos.surfaces.javascript_clients import VENDOR, in_node
from tests.chaos.surfaces.talking import Client, in_threads
from tools import ROOT

CLIENTS: Mapping[str, Client] = {
    "InTurn, Python": in_threads(python_clients.inturn),
    "InTurn, JavaScript": in_node("inturn.mjs", {"inturn": ROOT / "clients" / "js" / "src"}),
    "OpenAI, Python: responses": in_threads(python_clients.openai),
    "OpenAI, Python: chat completions": in_threads(python_clients.openai_chat),
    "OpenAI, JavaScript: responses": in_node("openai.mjs", {"openai_library.mjs": VENDOR / "openai-6.49.0.js"}),
    "LangServe's RemoteRunnable": in_threads(python_clients.langserve),
    "llm, command line: chat completions": in_threads(command_line.llm),
    "Vercel's useChat": in_node("use_chat.mjs", {"ai_sdk.mjs": VENDOR / "ai-sdk-react-4.0.177.js"}),
}
