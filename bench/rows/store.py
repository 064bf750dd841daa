"""The load of a turn on Redis: commands, CPU and memory."""

from dataclasses import dataclass

from bench.caller import Caller
from bench.figures import Figure, Result
from bench.load import TurnFunction, long_poll_turn, run_load, stream_turn
from bench.stacks import IN_FLIGHT, InTurnStack, running

# The commands that clients send. The statistics also list the commands that scripts call.
CLIENT_COMMANDS = {"evalsha", "eval", "brpop", "ping", "subscribe", "unsubscribe", "ssubscribe"}
MAX_CPU_US = 1000  # a store with one core then carries 1,000 turns per second

TEXT = "What does cosine mean? [delay 0.1] [words 20]"
STREAMED_TEXT = "What does cosine mean? [delay 0.1] [words 100] [pace 0.01]"


@dataclass(frozen=True, slots=True)
class StoreCost:
    """The cost of one turn in the store. `cpu_us` is user and system time of the server process."""

    commands: float
    cpu_us: float
    bytes: float


def measure(*, quick: bool) -> Result:
    turns = 400 if quick else 1200
    with running(InTurnStack) as stack:
        run_load(stack.url, long_poll_turn, text=TEXT, turns=100, in_flight=IN_FLIGHT)
        polled = _measure(stack, long_poll_turn, TEXT, turns)
        streamed = _measure(stack, stream_turn, STREAMED_TEXT, turns // 4)
    live_bytes = _measure_live_bytes(turns)
    finished_label = "Memory of a finished turn, its events and its messages, while it is kept"
    return Result(
        figures=[
            Figure(label="Commands to Redis for a polled turn", value=polled.commands, unit="", max_value=12),
            Figure(label="… CPU of the Redis server", value=polled.cpu_us, unit="µs", max_value=MAX_CPU_US),
            Figure(label="Commands to Redis for a streamed turn of 100 words", value=streamed.commands, unit=""),
            Figure(label="… CPU of the Redis server", value=streamed.cpu_us, unit="µs"),
            Figure(label="Memory of a live turn with its session", value=live_bytes, unit="bytes"),
            Figure(label=finished_label, value=polled.bytes, unit="bytes"),
        ]
    )


def _measure(stack: InTurnStack, run_turn: TurnFunction, text: str, turns: int) -> StoreCost:
    """Run turns in new sessions. CPU is compared, not time: commandstats also counts the waits for a core."""
    raw = stack.store.raw
    raw.config_resetstat()
    cpu_before, bytes_before = _cpu_seconds(stack), _dataset_bytes(stack)
    run_load(stack.url, run_turn, text=text, turns=turns, in_flight=IN_FLIGHT)
    cpu_seconds, dataset_bytes = _cpu_seconds(stack) - cpu_before, _dataset_bytes(stack) - bytes_before
    stats = {name.removeprefix("cmdstat_"): stat for name, stat in raw.info("commandstats").items()}
    commands = sum(stat["calls"] for name, stat in stats.items() if name in CLIENT_COMMANDS)
    return StoreCost(commands / turns, cpu_seconds * 1e6 / turns, dataset_bytes / turns)


def _measure_live_bytes(turns: int) -> float:
    with running(InTurnStack, workers=0) as stack:
        bytes_before = _dataset_bytes(stack)
        caller = Caller(stack.url)
        for number in range(turns):
            caller.submit(f"waiting-{number}", TEXT)
        caller.close()
        return (_dataset_bytes(stack) - bytes_before) / turns


def _cpu_seconds(stack: InTurnStack) -> float:
    cpu = stack.store.raw.info("cpu")
    return float(cpu["used_cpu_user"] + cpu["used_cpu_sys"])


def _dataset_bytes(stack: InTurnStack) -> float:
    return float(stack.store.raw.info("memory")["used_memory_dataset"])
