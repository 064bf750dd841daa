"""The text that `make up` prints when the service is ready."""

import textwrap
from collections.abc import Iterable

from supervisor.provider_check import ProviderFinding
from turns.config import commands
from turns.config.settings import Settings


def welcome(settings: Settings, *, store: str, providers: Iterable[ProviderFinding], needs_key: bool) -> str:
    """Return how to use the service; `store` describes where the data is."""
    url = f"http://{settings.address}"
    curl = 'curl -s -H "Authorization: Bearer $INTURN_API_KEY"' if needs_key else "curl -s"
    checked = "".join(f"{found}\n{'':17}" for found in providers)
    change = (
        f"OPENAI_API_KEY=… {commands.UP}, or "
        f"OPENAI_BASE_URL=http://127.0.0.1:11434/v1 INTURN_MODEL=llama3.2 {commands.UP}"
    )
    return textwrap.dedent(f"""
        InTurn is ready at {url}

        Submit a turn, then wait for its answer{" (export INTURN_API_KEY first)" if needs_key else ""}:

          id=$({curl} {url}/v1/turns -H 'Content-Type: application/json' -d '{{"session_id": "foobar",
            "input": "What does cosine mean?"}}' \\
            | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
          {curl} "{url}/v1/turns/$id?wait=30" | python3 -m json.tool --no-ensure-ascii

        Or chat: {url} in a browser, {commands.INTURN} chat in another terminal.

        Model    {settings.model_description}
                 {checked}change it: {change}
        API      {url}/docs
        Data     {store}
        Workers  {settings.workers}; to add one, in another terminal with the same settings: {commands.WORKER}
        Stop     Ctrl-C
    """)
