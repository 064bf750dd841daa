"""The sums of entries, without a store."""

from turns.usage.entries import DAY_MS, Row, format_sums, merge, parse_sums, sum_entries

DAY = 20_000
ROW = Row("alice", "a", "USD", "m|odel")


def entry(
    outcome: str = "completed", *, user: str = "alice", taken: str = "10|4|5|1|0|70|USD", day: int = DAY
) -> bytes:
    return f"{day * DAY_MS + 1}|{outcome}|a|acme/{user}|{taken}|m|odel".encode()


def test_entries_of_a_user_are_one_row_of_the_day() -> None:
    sums = sum_entries([entry(), entry("failed"), entry("cancelled"), entry("incomplete"), entry("retry")])
    assert sums.by_user == {(DAY, "acme"): {ROW: [1, 1, 1, 1, 1, 50, 20, 25, 5, 0, 350]}}
    assert sums.by_tenant == {DAY: {ROW._replace(name="acme"): [1, 1, 1, 1, 1, 50, 20, 25, 5, 0, 350]}}
    assert sums.tokens == {"tokens|input|m|odel": 50, "tokens|output|m|odel": 25}


def test_days_tenants_and_currencies_are_kept_apart() -> None:
    other = entry(taken="1|0|1|0|1|0|")
    sums = sum_entries([entry(), entry(day=DAY + 1), other])
    assert {key: list(rows) for key, rows in sums.by_user.items()} == {
        (DAY, "acme"): [ROW, ROW._replace(currency="")],
        (DAY + 1, "acme"): [ROW],
    }


def test_entries_of_other_programs_are_ignored() -> None:
    strange = [b"", b"\xff", b"1|2|3", entry(taken="x|0|0|0|0|0|"), entry(taken="1|0|0|"), entry(user="a/b")]
    assert sum_entries(strange).by_user == {}


def test_rows_without_room_are_added_to_the_rest() -> None:
    new = {ROW._replace(name=name): [1] * 11 for name in "abc"}
    stored = {ROW._replace(name="b"): b"2|2|2|2|2|2|2|2|2|2|2", ROW.rest: b"5|5|5|5|5|5|5|5|5|5|5"}
    assert merge(new, stored, room=1) == {
        ROW._replace(name="a"): [1] * 11,
        ROW._replace(name="b"): [3] * 11,
        ROW.rest: [6] * 11,
    }


def test_stored_sums_round_trip() -> None:
    sums = [*range(10), 2**60]
    assert parse_sums(format_sums(sums).encode()) == sums
