from turns.coordination.hold_news import KNOWN_SECONDS, HoldNews


def test_a_failure_in_a_known_hold_is_no_news() -> None:
    news = HoldNews()
    news.know([("m", 3)])
    news.report("m", 3, is_sure=False)
    assert not news.wait(0)
    news.report("m", 4, is_sure=False)
    assert news.wait(0)


def test_what_an_old_round_has_found_is_not_known_any_more() -> None:
    """Let this process know a hold that has ended since, in rounds of other workers."""
    news, now = HoldNews(), 0.0
    news._clock = lambda: now
    news.know([("m", 3)])
    now = KNOWN_SECONDS
    news.report("m", 3, is_sure=False)
    assert news.take() == {"m"}


def test_names_that_are_given_back_are_taken_again() -> None:
    news = HoldNews()
    news.report("m", 3, is_sure=True)
    news.give_back(news.take())
    assert news.wait(0)
    assert news.take() == {"m"}
    assert not news.wait(0)
