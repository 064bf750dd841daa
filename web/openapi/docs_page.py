"""The values that the template of the page `/docs` shows."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from web.http.responses import EVENT_STREAM, JSON
from web.openapi.examples import OF_MODEL, VALUES, example
from web.openapi.limits import request_limits

Json = dict[str, Any]

MAX_INLINE = 60  # characters of a JSON body that fits on the line of a command


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation, as the page shows it."""

    method: str
    path: str
    operation: Json
    command: str
    responses: dict[str, str]  # the example of each status that has one


def groups(api: Json) -> list[tuple[Json, list[Entry]]]:
    """Return each tag with its operations."""
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            entries[operation["tags"][0]].append(_entry(method, path, operation, api["components"]["schemas"]))
    return [(tag, entries[tag["name"]]) for tag in api["tags"]]


def request_models(api: Json) -> set[str]:
    """Return the names of the models in requests, whose fields a caller may leave out or not."""
    return {name for name in api["components"]["schemas"] if name.endswith("Body")}


def problem_example() -> str:
    return json.dumps(OF_MODEL["Problem"], indent=2)


def limits(api: Json) -> dict[str, str]:
    """Return what is limited in requests, and each limit."""
    text, _ = api["components"]["schemas"]["SubmitBody"]["properties"]["input"]["anyOf"]
    return request_limits(text["maxLength"])


def _entry(method: str, path: str, operation: Json, definitions: Json) -> Entry:
    examples = {
        status: json.dumps(content[JSON]["example"], indent=2, ensure_ascii=False)
        for status, response in operation["responses"].items()
        if "example" in (content := response.get("content", {})).get(JSON, {})
    }
    return Entry(method, path, operation, _command(method, path, operation, definitions), examples)


def _command(method: str, path: str, operation: Json, definitions: Json) -> str:
    """Return the `curl` command of an example request."""
    streams = EVENT_STREAM in operation["responses"].get("200", {}).get("content", {})
    verb = "" if method == "get" else f"-X {method.upper()} "
    lines = [f'curl {"-N " if streams else ""}{verb}"$INTURN_URL{_address(path, operation, definitions)}"']
    if "security" in operation:
        lines.append('-H "Authorization: Bearer $INTURN_API_KEY"')
    if body := operation.get("requestBody"):
        if JSON in body["content"]:
            lines.append('-H "Content-Type: application/json"')
            lines.append(f"-d '{_body(body['content'][JSON]['schema'], definitions)}'")
        else:
            lines.append("-F file=@picture.png")
    return " \\\n  ".join(lines)


def _address(path: str, operation: Json, definitions: Json) -> str:
    required = [parameter for parameter in operation["parameters"] if parameter["required"]]
    for parameter in required:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(VALUES[parameter["name"]]))
    query = {
        each["name"]: example(each["schema"], definitions, each["name"]) for each in required if each["in"] == "query"
    }
    return f"{path}?{urlencode(query)}" if query else path


def _body(schema: Json, definitions: Json) -> str:
    [value] = definitions[schema["$ref"].rpartition("/")[2]]["examples"]
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= MAX_INLINE else json.dumps(value, indent=2, ensure_ascii=False)
