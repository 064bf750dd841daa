"""JSON schemas of an assistant's input, output and configuration, as LangServe has them."""

from typing import Any

from turns.domain.assistant import Assistant

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}


def input_schema(assistant: Assistant) -> Schema:
    variables = dict.fromkeys(sorted(assistant.variables), TEXT)
    return {
        "title": f"{assistant.name}_input",
        "type": "object",
        "properties": {**variables, "input": {**TEXT, "description": "the question; its name is free"}},
        "required": ["input"],
    }


def output_schema(assistant: Assistant) -> Schema:
    return {
        "title": f"{assistant.name}_output",
        "type": "object",
        "properties": {"type": {"const": "ai"}, "content": TEXT, "id": TEXT},
        "required": ["type", "content"],
    }


def config_schema(assistant: Assistant) -> Schema:
    configurable = {
        "type": "object",
        "properties": {
            "session_id": {**TEXT, "description": "or `conversation_id`; default: a new session for each turn"},
            "user_id": {**TEXT, "description": "or the cookie `user_id`"},
        },
    }
    return {"title": f"{assistant.name}_config", "type": "object", "properties": {"configurable": configurable}}
