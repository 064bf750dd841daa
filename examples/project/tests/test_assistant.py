"""The assistant, as its users see it."""

from inturn.testing import RunningService


def ask(inturn: RunningService, question: str, *, user_id: str) -> str:
    return inturn.client.turns.create(user_id, question, user_id=user_id).wait().check().text


def test_the_assistant_lists_the_orders_of_its_user(inturn: RunningService) -> None:
    assert "A-1: tea, ordered, due 2026-03-02" in ask(inturn, "What have I ordered?", user_id="ada")
    assert ask(inturn, "What have I ordered?", user_id="eve") == "Result: no orders"


def test_a_user_can_cancel_only_their_own_order(inturn: RunningService) -> None:
    assert ask(inturn, "Please cancel A-1", user_id="eve") == "Result: no such order"
    assert ask(inturn, "Please cancel A-1", user_id="ada") == "Result: A-1 is cancelled"


def test_the_model_receives_the_tools(inturn: RunningService) -> None:
    ask(inturn, "What have I ordered?", user_id="ada")
    names = {tool["function"]["name"] for tool in inturn.model.requests[-1]["tools"]}
    assert names == {"list_orders", "cancel_order"}
