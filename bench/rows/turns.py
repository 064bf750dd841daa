"""What a polled turn costs, and how many of them two cores make in a second; beside the thirty lines."""

from bench.figures import Figure, Measured, alternately, median
from bench.load import Run, asked_again, load, polled
from bench.stacks import IN_FLIGHT, Ours, ThirtyLines, running

SAID = "What does cosine mean? [delay 0.5] [words 20]"


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 400) if quick else (3, 1500)
    with running(Ours) as ours, running(ThirtyLines) as thirty:

        def one_of_ours(in_flight: int = IN_FLIGHT) -> Run:
            return load(ours.url, polled, said=SAID, turns=turns, in_flight=in_flight, cpu_seconds=ours.cpu_seconds)

        def one_of_theirs() -> Run:
            return load(
                thirty.url,
                asked_again,
                said=SAID,
                turns=turns // 4,
                in_flight=IN_FLIGHT,
                cpu_seconds=thirty.cpu_seconds,
            )

        one_of_ours(), one_of_theirs()  # what is done once is done
        runs = alternately(rounds, {"ours": one_of_ours, "theirs": one_of_theirs, "most": lambda: one_of_ours(400)})
    cost = {name: median([run.cpu_ms_per_turn for run in many]) for name, many in runs.items()}
    speed = {name: median([run.turns_per_second for run in many]) for name, many in runs.items()}
    return Measured(
        figures=[
            Figure(
                what="CPU of a polled turn: web, worker and store, 100 in flight", value=cost["ours"], unit="ms", most=6
            ),
            Figure(what="… of the thirty lines", value=cost["theirs"], unit="ms"),
            Figure(what="… as a share of theirs", value=cost["ours"] / cost["theirs"], unit="", most=1 / 8),
            Figure(
                what="Turns per second, a model of 0.5 s, 400 in flight, one worker", value=speed["most"], unit="/s"
            ),
            Figure(what="… of the thirty lines, 100 in flight", value=speed["theirs"], unit="/s"),
            Figure(what="… as a multiple of theirs", value=speed["most"] / speed["theirs"], unit="times", least=6),
        ]
    )
