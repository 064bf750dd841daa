"""Each example of a custom chain answers as its description says, with the scripted model."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.chains import agent
from tests.support.documentation.snippets import read_snippets
from tests.support.scripted_model import ScriptedModel
from tests.unit.worker.run.stand_ins import make_claim
from tools import ROOT
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.run.answer import Answer
from worker.langchain.chain_call import build_custom_chain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.custom_chain import CustomChainRun
from worker.langchain.factories import find_factory
from worker.provider.models import build_model

LOOP = ChainLoop(max_threads=4)

Ask = Callable[..., tuple[Answer, list[str]]]


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedModel]:
    with ScriptedModel(0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def ask(provider: ScriptedModel) -> Iterator[Ask]:
    """Return a function that runs a turn of an example; it returns the answer and its deltas.

    `[hold first delta]` in a question makes the model wait until the first delta has been read. So there are several
    deltas if the chain streams, and the test takes very long if it does not.
    """
    model: Any = build_model(Settings(openai_base_url=f"http://127.0.0.1:{provider.server_port}/v1", model="m"))

    def ask(name: str, question: str, *, package: str = "examples.chains.", **fields: Any) -> tuple[Answer, list[str]]:
        claim = make_claim(assistant=Assistant(name=name, chain=f"{package}{name}:build"), input=question, **fields)
        run = CustomChainRun(lambda: build_custom_chain(find_factory(claim.assistant.chain), model), claim, loop=LOOP)
        provider.gates["first delta"].clear()
        deltas = []
        for text in filter(None, run.deltas()):
            deltas.append(text)
            provider.gates["first delta"].set()
        return run.answer(), deltas

    yield ask
    model.root_client.close()
    model.client.close()


def test_haiku_puts_its_season_into_the_prompt(ask: Ask, provider: ScriptedModel) -> None:
    _, deltas = ask("haiku", "Write one. [hold first delta]", variables={"season": "spring"})
    assert "the season is spring" in provider.requests[-1]["messages"][0]["content"]
    assert len(deltas) > 1


def test_clock_reads_the_time(ask: Ask) -> None:
    answer, _ = ask("clock", "What time is it? [call clock]")
    assert "+00:00" in answer.output


def test_orders_lists_those_of_the_user(ask: Ask) -> None:
    answer, _ = ask("orders", "What have I ordered?", user_id="ada")
    assert json.loads(answer.data or "")["orders"] == ["tea", "scones"]


def test_rag_answers_from_the_passage_it_names(ask: Ask, provider: ScriptedModel) -> None:
    answer, deltas = ask("rag", "How long does delivery take? [hold first delta]")
    assert "Delivery takes two days" in provider.requests[-1]["messages"][0]["content"]
    assert json.loads(answer.data or "") == {"answer": answer.output, "sources": ["delivery.md"]}
    assert len(deltas) > 1


def test_agent_acts_once_for_a_turn_that_runs_twice(ask: Ask) -> None:
    agent.CANCELLED.clear()
    for attempt in (1, 2):
        question = 'Cancel it. [call cancel_order {"order": "o-1"}] [hold first delta]'
        answer, deltas = ask("agent", question, turn_id="turn_a", attempt=attempt, user_id="ada")
        assert "Order o-1 is cancelled." in answer.output
        assert len(deltas) > 1
    assert agent.CANCELLED == {"turn_a-o-1": "o-1 of ada"}


def test_mcp_tools_ask_the_server(ask: Ask) -> None:
    answer, deltas = ask("mcp_tools", 'Is there tea? [call count_stock {"product": "tea"}] [hold first delta]')
    assert answer.output.startswith("answer to 12 ")
    assert len(deltas) > 1


@pytest.mark.parametrize(("words", "start"), [(3, "answer to hello"), (60, "answer to Shorten this to 50 words")])
def test_review_shortens_a_long_draft(ask: Ask, words: int, start: str) -> None:
    answer, _ = ask("review", f"hello [words {words}]")
    assert answer.output.startswith(start)


# langchain-openai dumps the object of openai's client, in which the form has taken the place of None.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_ticket_is_a_form_with_an_answer(ask: Ask) -> None:
    form = {"answer": "Tomorrow.", "subject": "delivery", "is_urgent": False}
    answer, _ = ask("ticket", f"When does it come? [say {json.dumps(form)}]")
    assert (answer.output, json.loads(answer.data or "")) == ("Tomorrow.", form)


def test_the_first_chain_of_the_guide_streams(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = read_snippets(ROOT / "docs" / "guides" / "custom_chains.md")
    (tmp_path / "rhymes.py").write_text(next(block.text for block in guide if block.language == "python"))
    monkeypatch.syspath_prepend(tmp_path)
    answer, deltas = ask("rhymes", "hello [hold first delta]", package="")
    assert answer.output.startswith("answer to hello")
    assert len(deltas) > 1
