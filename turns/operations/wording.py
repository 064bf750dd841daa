"""Numbers and durations as the sentences of the verdict have them."""


def format_duration(seconds: float) -> str:
    """Return a duration in words, such as `0.05 s`, `0.4 s`, `41 s` or `7 min 4 s`."""
    if 0 < seconds < 0.1:
        return f"{seconds:.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 turn` or `1,275 turns`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def are(number: int, noun: str) -> str:
    return f"{count_of(number, noun)} {'is' if number == 1 else 'are'}"


def were(number: int, noun: str) -> str:
    return f"{count_of(number, noun)} {'was' if number == 1 else 'were'}"
