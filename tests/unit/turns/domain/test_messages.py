import pytest

from turns.domain.messages import Message, build_page, page_numbers, window_length

STORED = [Message(number=n, role="user", content=str(n), turn_id=None).to_stored().encode() for n in range(1, 6)]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_following_the_cursors_yields_each_message_once(limit: int, newest_first: bool) -> None:
    found: list[int] = []
    after = None
    while True:
        numbers = page_numbers(5, after=after, limit=limit, newest_first=newest_first)
        page = build_page(numbers, [STORED[n - 1] for n in numbers], 5)
        found += [message.number for message in page.messages]
        if (after := page.after) is None:
            break
    assert found == ([5, 4, 3, 2, 1] if newest_first else [1, 2, 3, 4, 5])


@pytest.mark.parametrize(("after", "newest_first"), [(5, False), (1_000_000, False), (1, True), (0, True)])
def test_a_page_beyond_the_end_is_empty(after: int, newest_first: bool) -> None:
    numbers = page_numbers(5, after=after, limit=2, newest_first=newest_first)
    assert build_page(numbers, [], 5).messages == ()
    assert build_page(numbers, [], 5).after is None


def test_an_unreadable_message_is_left_out_and_keeps_its_number() -> None:
    page = build_page(range(1, 4), [STORED[0], b"not json", STORED[2]], 5)
    assert ([message.number for message in page.messages], page.after) == ([1, 3], 3)


@pytest.mark.parametrize(("length", "window"), [(0, 0), (4, 4), (5, 3), (6, 4), (7, 3), (8, 4)], ids=str)
def test_the_window_slides_in_steps_of_half_its_size(length: int, window: int) -> None:
    assert window_length(length, 4) == window
