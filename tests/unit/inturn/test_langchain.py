"""The remote chain as other LangChain programs see it."""

from inturn import Client
from inturn.langchain import RemoteChain


def test_the_chain_declares_its_session_and_user() -> None:
    with Client("http://127.0.0.1:1") as client:
        schema = RemoteChain(client).config_schema(include=["configurable"]).model_json_schema()
    assert set(schema["$defs"]["Configurable"]["properties"]) == {"session_id", "user_id", "regenerate"}
