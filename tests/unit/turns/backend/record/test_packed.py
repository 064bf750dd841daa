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


USUAL = {"attempt": "1", "claims": "1", "sequence": "1", "assistant": "default", "variables": "{}"}


def test_packed_fields_have_their_names_again() -> None:
    packed = "c\n3\nb\n\ne\n0f\nn\nother"
    assert unpack(packed, {}) == USUAL | {"sequence": "3", "user_id": "", "token": "0f", "assistant": "other"}


def test_a_field_beside_the_packed_ones_wins() -> None:
    assert to_turn_record({b"packed": b"c\n3\nf\n2", b"sequence": b"4"}) == USUAL | {"sequence": "4", "attempt": "2"}


def test_times_are_counted_from_the_acceptance() -> None:
    packed = f"{FIELD_CODES['started_after']}\n-5\ng\n1000\n{FIELD_CODES['expires_after']}\n86400000"
    assert unpack(packed, {}) == USUAL | {"accepted_at": "1000", "started_at": "995", "expires_at": "86401000"}


@pytest.mark.parametrize(
    ("session", "user_id"), [("s%2F1", None), ("acme/-/s%2F1", None), ("-/al%2Fice/s%2F1", "al/ice")]
)
def test_ids_that_are_not_packed_are_those_of_the_session(session: str, user_id: str | None) -> None:
    record = unpack("c\n1", {"session": session})
    assert (record["session_id"], record.get("user_id")) == ("s/1", user_id)


def test_pieces_are_put_together() -> None:
    texts = compress_texts("Why?", "漢字 " * 50)
    assert texts is not None
    pieces = {b"texts": texts[:9], b"3": texts[10:], b"2": texts[9:10], b"p2": b"3", b"packed": b"c\n"}
    assert to_turn_record(pieces) == USUAL | {"sequence": "3", "input": "Why?", "output": "漢字 " * 50}


@pytest.mark.parametrize("question", ["", "12\n3", "Frage: \0 é 漢 🙂"])
@pytest.mark.parametrize("answer", ["word " * 60, "\n漢字" * 100])
def test_compressed_texts_come_back(question: str, answer: str) -> None:
    texts = compress_texts(question, answer)
    assert texts is not None
    assert len(texts) < len(answer.encode()) / 2
    assert to_turn_record({b"texts": texts}) == {"input": question, "output": answer}


def test_short_texts_are_not_compressed() -> None:
    assert compress_texts("é" * 32, "x" * 64) is None
    assert compress_texts("é" * 33, "") is not None
    assert compress_texts("", "x" * 65) is not None
