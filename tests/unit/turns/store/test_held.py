import pytest

from turns.store.held import CrowdedGroup

HOLD = "01234567/org/m"  # a model of an assistant's own provider


@pytest.mark.parametrize(
    ("name", "label", "is_sharing"),
    [
        ("tenant:acme", "The tenant acme", False),
        ("lane:batch", "The lane batch", False),
        ("assistant:a/b", "The assistant a/b", False),
        ("losses:2", "The group of turns that lost as many workers", False),
        ("loop/model:", "The default model", True),
        (f"loop/model:{HOLD}", "The model org/m", True),
        ("loop/tenant:acme", "The tenant acme", True),
        (f"loop/tenant:acme/model:{HOLD}", "The tenant acme with the model org/m", True),
        ("loop/tenant:acme/model:", "The tenant acme with the default model", True),
        ("chains/chain:rag", "The custom chain rag", True),
        ("chains/tenant:acme/chain:rag", "The tenant acme with the custom chain rag", True),
    ],
)
def test_a_group_is_described_in_words(name: str, label: str, is_sharing: bool) -> None:
    group = CrowdedGroup(name=name, slots=1, waiting=1)
    assert (group.label, group.is_sharing) == (label, is_sharing)
