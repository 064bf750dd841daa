"""Assistants as values, and the file that defines them."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import ROOT
from turns.assistants.loader import read_assistants
from turns.assistants.overrides import settings_for
from turns.assistants.registry import AssistantRegistry
from turns.assistants.schema import AssistantTable
from turns.config.logs import configure_logs
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT, EXAMPLE, Assistant, HistoryMode, Lane, RunsIn, Variable
from turns.domain.errors import AssistantNotFound, ConfigurationError, InvalidRequest
from turns.domain.model_parameters import MaxTokensName
from turns.domain.worker_kind import WorkerKind
from worker.langchain.factories import check_assistant

check_in_chain_worker = partial(check_assistant, kind=WorkerKind.CHAINS)

TEXTS = st.text(max_size=20)
ASSISTANTS = st.builds(
    Assistant,
    name=TEXTS,
    description=TEXTS,
    system=TEXTS,
    chain=TEXTS,
    variables=st.dictionaries(TEXTS, st.builds(Variable, default=st.none() | TEXTS, description=TEXTS), max_size=3),
    model=st.none() | TEXTS,
    temperature=st.none() | st.floats(0, 2),
    max_tokens_name=st.sampled_from(MaxTokensName),
    stop=st.lists(TEXTS, max_size=2).map(tuple),
    finish_reasons=st.lists(TEXTS, max_size=2).map(tuple),
    extra=st.dictionaries(TEXTS, TEXTS | st.lists(st.integers()), max_size=2),
    history=st.sampled_from(HistoryMode),
    lane=st.sampled_from(Lane),
    runs_in=st.none() | st.sampled_from(RunsIn),
)

WRONG = {
    "[assistants.a]\nsystem = 'x'\nsistem = 'y'": "assistants.a.sistem: is not known; known fields: descr",
    "[assistants.a]\ntemperature = 3": "assistants.a.temperature: must be less than or equal to 2 (it is 3)",
    "[assistants.a]\nsystem = 3": "assistants.a.system: must be a valid string (it is 3)",
    "[assistants.a]\nlane = 'slow'": "assistants.a.lane: must be 'interactive' or 'batch' (it is 'slow')",
    "[assistants.a]\nsystem = '{who}'": "assistants.a: the system prompt has {who}, which is not a declared variable",
    "[assistants.a]\nsystem = '{who.am}'": "assistants.a: the system prompt has {who.am}; only a variable's name",
    "[assistants.a]\nsystem = '{'": "assistants.a: the system prompt is not a valid template: ",
    "[assistants.a]\nsystem = 'x'\nchain = 'a:b'": "assistants.a: has a system prompt and a chain;",
    "[assistants.a]\nchain = 'a'": "assistants.a.chain: must be package.module:factory",
    "[assistants.a]\nbase_url = 'localhost'": "assistants.a.base_url: must begin with http:// or https://",
    "[assistants.a]\nbase_url = 'http://[::1'": "assistants.a.base_url: must have a valid host and a port",
    "[assistants.a]\nbase_url = 'http://h:99999/v1'": "assistants.a.base_url: must have a valid host and a port",
    "[assistants.a]\nbase_url = 'http://h/v 1'": "assistants.a.base_url: must not contain spaces or line breaks",
    "[assistants.a]\nbase_url = 'http://h/v1/chat/completions'": "assistants.a.base_url: must end before /chat",
    "[assistants.a]\napi_key_env = 'sk-canary'": "assistants.a.api_key_env: must be the name of an environment",
    "[assistants.a]\ntop_p = 1.5": "assistants.a.top_p: must be less than or equal to 1 (it is 1.5)",
    "[assistants.a]\nstop = 3": "assistants.a.stop: must be a text, or a list of texts",
    "[assistants.a]\nstop = ['a', 'b', 'c', 'd', 'e']": "assistants.a.stop: must be a text, or a list of 1 to 4 texts",
    "[assistants.a]\nstop = ''": "assistants.a.stop: must be a text, or a list of 1 to 4 texts, none of them empty",
    "[assistants.a]\nmax_tokens_name = 'n'": "assistants.a.max_tokens_name: must be 'max_tokens' or",
    "[assistants.a]\nfinish_reasons = ['Content_Filter']": "assistants.a.finish_reasons: must not contain 'Content_Fi",
    "[assistants.a]\nfinish_reasons = ['']": "assistants.a.finish_reasons: must not contain an empty text",
    "[assistants.a]\nresponse_format = {}": "assistants.a.response_format: must have a type, such as",
    "[assistants.a]\nresponse_format.type = 'json_schema'": "assistants.a.response_format: must have a table json_",
    "[assistants.a]\nresponse_format = {type = 'json_schema', json_schema = {}}": (
        "assistants.a.response_format: json_schema.name must be 1 to 64 letters"
    ),
    "[assistants.a]\nresponse_format = {type = 'json_schema', json_schema = {name = 'x'}}": (
        "assistants.a.response_format: must have a table json_schema.schema"
    ),
    "[assistants.a]\nresponse_format = {type = 'json_schema', json_schema = {name = 'x', schema = {type = 'x'}}}": (
        "assistants.a.response_format: json_schema.schema: type: is not valid in JSON Schema 2020-12"
    ),
    "[assistants.a]\nextra.model = 'x'": "assistants.a.extra: must not contain 'model'; use the field model",
    "[assistants.a]\nextra.messages = []": "assistants.a.extra: must not contain 'messages'; the service sends it",
    "[assistants.a]\nextra.since = 2026-01-01": "assistants.a.extra: must contain only texts, booleans, numbers of",
    "[assistants.a]\nextra.n_ctx = 99999999999999999999": "assistants.a.extra: must contain only texts, booleans,",
    "[assistants.a]\nextra.bias = inf": "assistants.a.extra: must contain only texts, booleans, numbers of at most 64",
    "[assistants.a]\nstream_options = 'no'": "assistants.a.stream_options: must be a valid boolean",
    "[assistants.a]\nvariables.input = {}": "assistants.a.variables.input: 'input' is a reserved name",
    "[assistants.a.variables.who]\nmax = 3": "assistants.a.variables.who.max: is not known; known fields: default,",
    "[assistants.a]\nvariables.w = {default = 'abc', max_length = 2}": "assistants.a.variables.w: the default",
    "[assistants.'a b']": "assistants.a b: an assistant's name must be 1 to 128 characters",
    "[assistant.a]": "assistants: is missing; an assistant is a table [assistants.NAME]",
    "[assistants.a]\n[assistant.b]": "assistant: is not known; an assistant is a table [assistants.NAME]",
    "": "assistants: is missing; an assistant is a table [assistants.NAME]",
    "[assistants.a]\ntemperature = nan": "assistants.a.temperature: ",
    "[assistants.a]\nsystem = x": "is not valid TOML: Invalid value (at line 2, column 10)",
}


def test_a_file_that_nests_too_deeply_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "assistants.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigurationError, match="is not valid TOML: maximum recursion depth exceeded"):
        read_assistants(path)


@given(ASSISTANTS)
def test_a_definition_round_trips(assistant: Assistant) -> None:
    assert Assistant.from_definition(assistant.definition) == assistant


@given(ASSISTANTS, ASSISTANTS)
def test_equal_definitions_have_equal_digests(one: Assistant, other: Assistant) -> None:
    assert (one.digest == other.digest) == (one == other)


def test_an_unknown_field_of_a_definition_is_ignored() -> None:
    later = DEFAULT.definition.replace("{", '{"mood": "sad", ', 1)
    assert Assistant.from_definition(later) == DEFAULT


def test_a_variable_is_required_unless_it_has_a_default() -> None:
    assistant = Assistant(name="a", variables={"x": Variable(), "y": Variable(default="d", max_length=3)})
    with pytest.raises(InvalidRequest, match=r"variables\.x: is required by assistant 'a'"):
        assistant.check_variables({"y": "abc"})
    with pytest.raises(InvalidRequest, match=r"variables\.y: must be at most 3 characters"):
        assistant.check_variables({"x": "1", "y": "abcd"})
    assistant.check_variables({"x": "1"})
    assert assistant.with_defaults({"x": "1"}) == {"x": "1", "y": "d"}


def test_a_key_is_not_sent_to_another_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "sk-mine")
    settings = Settings(openai_api_key="sk-all", openai_base_url="http://all", fallback_model="all-else")
    elsewhere = settings_for(Assistant(name="a", base_url="http://other"), settings)
    assert elsewhere.openai_api_key.get_secret_value() == ""
    with_its_own = settings_for(Assistant(name="a", base_url="http://other", api_key_env="MINE"), settings)
    assert with_its_own.openai_api_key.get_secret_value() == "sk-mine"
    assert settings_for(Assistant(name="a", temperature=1.0), settings) is settings


def test_a_fallback_applies_only_with_its_own_model() -> None:
    settings = Settings(openai_base_url="http://all", fallback_model="all-else")
    falls_back_to = {
        settings_for(assistant, settings).fallback_model
        for assistant in (Assistant(name="a", model="m"), Assistant(name="a", base_url="http://other"))
    }
    assert falls_back_to == {""}
    assert settings_for(Assistant(name="a", model="m", fallback_model="n"), settings).fallback_model == "n"
    assert settings_for(Assistant(name="a"), settings).fallback_model == "all-else"


@pytest.mark.parametrize(("text", "reported"), WRONG.items(), ids=[reported[:40] for reported in WRONG.values()])
def test_an_error_names_table_field_and_rule(tmp_path: Path, text: str, reported: str) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read_assistants(file)
    assert str(error.value).splitlines()[0].startswith(f"{file}: {reported}"), str(error.value)
    assert "canary" not in str(error.value)


def test_all_errors_in_the_file_are_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text("[assistants.a]\nmax_tokens = 0\ntemperature = 9\n[assistants.b]\nsystem = '{x}'\n")
    with pytest.raises(ConfigurationError) as error:
        read_assistants(file)
    locations = [line.removeprefix(f"{file}: ").partition(":")[0] for line in str(error.value).splitlines()]
    assert sorted(locations) == ["assistants.a.max_tokens", "assistants.a.temperature", "assistants.b"]


def test_the_example_is_valid_and_its_chains_are_importable() -> None:
    assistants = read_assistants(ROOT / "examples/assistants.toml", check=check_in_chain_worker).assistants
    assert set(assistants) >= {"default", "haiku", "clock"}
    assert (assistants["default"], assistants["example"]) == (DEFAULT, EXAMPLE)


def test_the_example_and_the_page_show_each_field() -> None:
    example = (ROOT / "examples/assistants.toml").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "guides" / "assistants.md").read_text(encoding="utf-8")
    for field in AssistantTable.model_fields:
        assert f"| `{field}` |" in page
    shown = {field for field in AssistantTable.model_fields if field in example}
    assert set(AssistantTable.model_fields) - shown == {"api_key_env", "idle_seconds"}, (
        "fields that the example does not need"
    )


def test_without_a_file_the_built_in_assistants_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registry = AssistantRegistry(Settings())
    assert list(registry.all_assistants().values()) == [DEFAULT, EXAMPLE]
    with pytest.raises(AssistantNotFound, match="no assistant 'support'; there are: default, example"):
        registry.find("support")
    with pytest.raises(AssistantNotFound, match=r"no assistant 'exmaple'; did you mean example\?"):
        registry.find("exmaple")
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: cannot be read"):
        AssistantRegistry(Settings(assistants=tmp_path / "nowhere.toml"))


def test_a_new_or_changed_file_is_loaded_if_it_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registry, file = AssistantRegistry(Settings()), tmp_path / "assistants.toml"
    for text, known in (
        ("[assistants.one]\n", "one"),
        ("[assistants.two]\n\n", "two"),
        ("[assistants.three]\ntop = 1\n", "two"),
        (None, "two"),
        ("[assistants.four]\n", "four"),
    ):
        file.write_text(text) if text else file.unlink()
        registry.reload_if_changed()
        assert list(registry.all_assistants()) == [known]


def test_an_unknown_field_of_a_variable_is_ignored() -> None:
    definition = '{"name": "a", "later": 1, "variables": {"v": {"default": "x", "pattern": "y"}}}'
    assert Assistant.from_definition(definition) == Assistant(name="a", variables={"v": Variable(default="x")})


def test_a_key_that_cannot_be_sent_is_refused_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text("[assistants.a]\napi_key_env = 'MINE'\n")
    monkeypatch.setenv("MINE", "sk-canary\nX: y")
    with pytest.raises(ConfigurationError, match=r"^\S+: assistants.a.api_key_env: the environment variable MINE must"):
        read_assistants(file)
    monkeypatch.setenv("MINE", "sk-canary\n")
    assert set(read_assistants(file, check=check_in_chain_worker).assistants) == {"a"}


def test_a_reload_with_such_a_key_keeps_the_assistants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings())
    monkeypatch.chdir(tmp_path)
    registry, file = AssistantRegistry(Settings(), check=check_in_chain_worker), tmp_path / "assistants.toml"
    monkeypatch.setenv("MINE", "sk-canary\u20ac")
    file.write_text("[assistants.a]\napi_key_env = 'MINE'\n")
    registry.reload_if_changed()
    assert list(registry.all_assistants()) == ["default", "example"]
    logged = capsys.readouterr().err
    assert '"event": "assistants.refused"' in logged
    assert "MINE" in logged
    assert "canary" not in logged


def test_an_assistant_that_no_proxy_can_serve_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text("[assistants.a]\nbase_url = 'http://host/v1'\n")
    monkeypatch.setenv("ALL_PROXY", "nonsense://canary@proxy")
    with pytest.raises(ConfigurationError, match=r"assistants.a.base_url: ALL_PROXY: must begin with one of http"):
        read_assistants(file)


def test_only_the_resources_that_the_file_names_are_permitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the combinations of the file: a key that belongs to one host is not sent to another."""
    monkeypatch.setenv("KEY_OF_MINE", "sk-mine")
    file = tmp_path / "assistants.toml"
    file.write_text('[assistants.a]\nbase_url = "http://a/v1"\napi_key_env = "KEY_OF_MINE"\n[assistants.b]\n')
    registry = AssistantRegistry(Settings(assistants=file))
    mine = Assistant(name="x", base_url="http://a/v1", api_key_env="KEY_OF_MINE", system="Any prompt.")
    assert registry.permits(mine)
    assert registry.permits(Assistant(name="unknown", model="m"))
    for forged in (
        Assistant(name="a", base_url="http://b/v1", api_key_env="KEY_OF_MINE"),
        Assistant(name="a", api_key_env="KEY_OF_MINE"),
        Assistant(name="a", base_url="http://a/v1"),
        Assistant(name="a", api_key_env="PATH"),
        Assistant(name="a", chain="os:abort"),
    ):
        assert not registry.permits(forged)


def test_a_changed_file_adds_to_what_is_permitted(tmp_path: Path) -> None:
    file, custom = tmp_path / "assistants.toml", Assistant(name="c", chain="examples.chains.haiku:build")
    file.write_text("[assistants.default]\n")
    registry = AssistantRegistry(Settings(assistants=file))
    assert not registry.permits(custom)
    file.write_text('[assistants.c]\nchain = "examples.chains.haiku:build"\n')
    assert registry.permits(custom)
    file.write_text("[assistants.default]\n")
    registry.reload_if_changed()
    assert registry.permits(custom), "turns may wait that were accepted under it"
