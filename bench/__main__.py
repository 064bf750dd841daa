"""`python -m bench`: all measurements, or those named; `--quick` for a short form that shows that they run."""

import argparse
import sys
import time


def main() -> None:
    from gevent import monkey

    monkey.patch_all()  # callers by the hundred, in one process

    from bench.report import keep, report
    from bench.table import ROWS

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("row", nargs="*", help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="few turns, and nothing is written to docs/")
    asked = parser.parse_args()
    for name in asked.row or ROWS:
        began_at = time.monotonic()
        measured = ROWS[name](quick=asked.quick)
        sys.stdout.write(f"\n{name} ({time.monotonic() - began_at:.0f} s)\n")
        for figure in measured.figures:
            sys.stdout.write(f"  {figure}\n")
        if measured.note:
            sys.stdout.write(f"  {measured.note}\n")
        sys.stdout.flush()
        if not asked.quick:
            keep(name, measured)
    if not asked.quick:
        report()


if __name__ == "__main__":
    main()
