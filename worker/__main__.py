"""`python -m worker [--chains]`: run one worker process, with `--chains` one for custom chains."""

import argparse

from turns.config.environment import settings_or_exit
from turns.config.settings import Pool
from turns.domain.worker_kind import WorkerKind


def main() -> None:
    """Read the settings and run a worker."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    parser.add_argument("--chains", action="store_true", help="run the turns of custom chains, in threads")
    kind = WorkerKind.CHAINS if parser.parse_args().chains else WorkerKind.LOOP
    settings = settings_or_exit()
    if kind is WorkerKind.CHAINS:
        settings = settings.model_copy(update={"pool": Pool.THREADS})
    if settings.pool is Pool.GEVENT:
        from gevent import monkey

        monkey.patch_all()  # before any module that opens sockets is imported

    from turns.backend.installation import join_or_exit
    from turns.config.logs import configure_logs

    configure_logs(settings)  # before the first check of the store, which logs what is away
    join_or_exit(settings)  # before the seconds that LangChain takes to import

    from worker.app import run

    run(settings, kind)


if __name__ == "__main__":
    main()
