import pytest

from turns.backend.record.packed import FIELD_CODES, compress_texts, to_turn_record, unpack

PLAIN = {b"session": b"s", b"status": b"completed", b"input": b"hello", b"output": b"a\nb"}


def test_a_name_keeps_its_code_for_ever() -> None:
    first = ("session_id", "user_id", "sequence", "claims", "token", "attempt", "accepted_at", "hinted_at")
    assert [FIELD_CODES[name] for name in first] == list("abcdefgh")
    assert (FIELD_CODES["traceparent"], FIELD_CODES["retried_token"]) == ("y", "G")


def test_each_name_has_its_own_code() -> None:
    assert len(set(FIELD_CODES.values())) == len(FIELD_CODES)
    assert "" not in FIELD_CODES.values()


def test_a_record_of_an_earlier_release_is_read_as_it_is() -> None:
    expected = {name.decode(): value.decode() for name, value in PLAIN.items()}
    assert to_turn_record(PLAIN) == expected
    assert to_turn_record([part for pair in PLAIN.items() for part in pair]) == expected


def test_packed_fields_have_their_names_again() -> None:
    assert unpack("c\n3\nb\n\ne\n0f") == {"sequence": "3", "user_id": "", "token": "0f"}


def test_a_field_beside_the_packed_ones_wins() -> None:
    assert to_turn_record({b"packed": b"c\n3\nf\n1", b"sequence": b"4"}) == {"sequence": "4", "attempt": "1"}


@pytest.mark.parametrize("question", ["", "12\n3", "Frage: \0 é 漢 🙂"])
@pytest.mark.parametrize("answer", ["word " * 60, "\n漢字" * 100])
def test_compressed_texts_come_back(question: str, answer: str) -> None:
    texts = compress_texts(question, answer)
    assert texts is not None
    assert len(texts) < len(answer.encode()) / 2
    assert to_turn_record({b"texts": texts}) == {"input": question, "output": answer}


def test_short_texts_are_not_compressed() -> None:
    assert compress_texts("hello", "Hello! How can I help you?") is None
