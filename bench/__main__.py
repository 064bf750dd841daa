"""`python -m bench`: run all measurements, or the named ones, and update docs/explanation/performance.md."""

import argparse
import sys
import time


def main() -> None:
    from gevent import monkey

    monkey.patch_all()  # one process runs hundreds of callers

    from bench.report import save, write_report
    from bench.table import ROWS

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("row", nargs="*", help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="run few turns as a check, and write nothing")
    options = parser.parse_args()
    for name in options.row or ROWS:
        started_at = time.monotonic()
        result = ROWS[name](quick=options.quick)
        sys.stdout.write(f"\n{name} ({time.monotonic() - started_at:.0f} s)\n")
        for figure in result.figures:
            sys.stdout.write(f"  {figure}\n")
        if result.message:
            sys.stdout.write(f"  {result.message}\n")
        sys.stdout.flush()
        if not options.quick:
            save(name, result)
    if not options.quick:
        write_report()


if __name__ == "__main__":
    main()
