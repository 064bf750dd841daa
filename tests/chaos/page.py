"""The page `docs/explanation/chaos.md`."""

from tests.chaos.failover import FAILOVER_TURNS
from tools import ROOT

PAGE = ROOT / "docs" / "explanation" / "chaos.md"
BASELINE = "*thirty lines:* 10 kills of workers"

PAGE_TEXT = """\
# Fault injection results

Written by `make chaos` (seed {seed}): a real endpoint, three real worker processes and a store with
`appendfsync always`, with load and faults at the same time. The checker (`tests/chaos/checker.py`) imports no product
code. It compares the submitted turns, their results and the histories with the answers that the scripted model must
give to exactly the preceding turns. `tests/chaos/test_checker.py` shows that it detects each single fault. All limits
are the defaults, and the product's own supervisor restarts what was killed. Each row's command ends with an error
unless all turns complete, except those of *a quarter custom chains* whose own chain crashes or hangs.

- *Lost*: accepted, but not ended, or its history does not match its status (such as completed but missing).
- *Half*: a question without its complete answer.
- *Blind*: an answer that was generated from a history other than the preceding turns.
- *Hit*: how often a turn was running on a worker that was killed, or lost its hint.
- *Recovery*: seconds from the hit (the last one, if a waiting turn was hit again) to the next claim, as median,
  95th percentile and maximum.
- *Calls*: model requests per turn. An answer takes most of a second.

*Anything frozen* stops the endpoint, a worker or the store with SIGSTOP. In *a quarter custom chains*, an eighth of
the sessions has a chain in a thread and an eighth one in a process; many of their turns block, crash or hang
(`tests/chaos/chains.py`). *Histories as files* is a run with `INTURN_HISTORY=file:…` under 10 kills of workers, 3
frozen workers, 3 kills of the store and 3 of the endpoint. In *regenerate, edit, fork*, twenty conversations do
these, and delete, under 15 kills of workers, 3 of the endpoint, 2 of the store and 2 losses of the hints. No
failure in 50 kills bounds their probability per kill to 5.8 % (95 % confidence); run other seeds for more. The rows
*cluster* run on a Redis Cluster of three primaries, each with a replica, with `INTURN_REPLICAS=1`: a killed primary
returns as a replica of the promoted one, and half of the moves are made key by key. `python -m tests.chaos --only
ROW` runs one row and leaves the others unchanged.

The last row is a plain Celery task of thirty lines (`tests/chaos/baseline/`): late acknowledgement around the stock
chain, with a visibility timeout of 10 s where the default is one hour. It has no cancellation, no idempotency keys and
no ordering, and runs under kills of workers only.

| Faults | Times | Turns | Completed | Lost | Doubled | Reordered | Half | Blind | Invented | Hit | Recovery | Calls |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}

## Beside a bad neighbour

How long 200 turns wait for their start while another model, or another tenant, has far more turns than there are
places. The neighbour's turns were submitted before; the worker is one, with the default limits.

| Neighbour | Its turns | Turns beside it | Completed | Wait: median | 95 % | Maximum |
|---|---|---|---|---|---|---|
{neighbours}

## All surfaces at once

Written by `make chaos-surfaces`: clients of several protocols, as published, hold conversations in the same store,
while workers and the endpoint are killed. A call that fails is repeated as the guide of its protocol says. *Shown
otherwise* are the answers that a client showed differently from the history.

{surfaces}

## Fail-over

The primary dies while its replica lags, and Sentinels promote the replica. {count} turns are submitted in that time.
Turns that are not confirmed are refused with 503 and can be submitted again.

| `INTURN_REPLICAS` | Confirmed while the replica lagged | Lost |
|---|---|---|
{failovers}
"""


def render_page(rows: list[str], neighbours: list[str], failovers: list[str], seed: int, *, surfaces: str) -> str:
    """`surfaces` is the table that another command has written."""
    return PAGE_TEXT.format(
        seed=seed,
        surfaces=surfaces,
        rows="\n".join(rows),
        neighbours="\n".join(neighbours),
        count=FAILOVER_TURNS,
        failovers="\n".join(failovers),
    )


def with_row(page: str, row: str) -> str:
    """Return the page with this row instead of the one with its name, or before the row of plain Celery."""
    name, *_ = row.partition(" | ")
    lines = page.splitlines()
    positions = [n for n, line in enumerate(lines) if line.startswith(f"{name} | ")]
    if positions:
        lines[positions[0]] = row
    else:
        lines.insert(next(n for n, line in enumerate(lines) if line.startswith("| *thirty lines")), row)
    return "\n".join(lines) + "\n"


def table(page: str, head: str) -> str:
    """Return the table of the page that begins with this row, up to the next empty line."""
    return page[page.index(head) :].partition("\n\n")[0]


def with_table(page: str, head: str, rows: list[str]) -> str:
    """Return the page with these rows in the table that begins with this row."""
    rule = "|" + "---|" * (head.count("|") - 1)
    return page.replace(table(page, head), "\n".join([head, rule, *rows]))
