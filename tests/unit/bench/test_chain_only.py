"""The chains that the benchmark runs without a queue."""

from bench.chain_only import inturn_turn


def test_the_claim_of_the_chain_has_all_fields_of_a_record() -> None:
    assert callable(inturn_turn("http://127.0.0.1:1/v1", "hello"))
